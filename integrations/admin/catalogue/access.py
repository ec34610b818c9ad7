"""Who may do what with the catalogue."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

# What adding an entry, and taking changes into a connector, writes.
ADD = ("connectors.add_connector", "connectors.add_authmethod", "connectors.add_variable")
CHANGE = (
    "connectors.change_connector",
    *(f"connectors.{verb}_{model}" for model in ("authmethod", "variable") for verb in ("add", "change", "delete")),
)


def may_look(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.has_perm("connectors.view_connector") or user.has_perm("connectors.change_connector"))


def catalogue_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the admin for those who may see connectors."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_look(request):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    guarded: Callable[..., HttpResponse] = admin.site.admin_view(page)
    return guarded
