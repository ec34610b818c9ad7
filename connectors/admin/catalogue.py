"""Where a connector came from, on its own page and in the list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors import ready_made
from connectors.adopting import newer
from connectors.models import CatalogueOrigin, Connector


class CatalogueMixin:
    """For the ModelAdmin of connectors: the column and the field `catalogue`."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Connector]:
        connectors: models.QuerySet[Connector] = super().get_queryset(request)  # type: ignore[misc]
        return connectors.select_related("catalogue_origin").defer("catalogue_origin__document", "logo")

    @admin.display(description="catalogue")
    def catalogue(self, connector: Any) -> SafeString:
        origin: CatalogueOrigin | None = getattr(connector, "catalogue_origin", None)
        known = ready_made.keys()
        if (origin.entry if origin else connector.key) not in known:
            return format_html("{}", "")
        address = reverse("catalogue:difference", args=(connector.key,))
        if origin is None:
            return format_html('<a href="{}" class="lk-link">Compare</a>', address)
        said = "A newer version" if newer(origin, connector.key) else "Up to date"
        return format_html('<a href="{}" class="lk-link">{}</a>', address, said)
