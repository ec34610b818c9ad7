"""What every page of a tenant is shown with."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants import database_time
from tenants.models import Tenant
from tenants.wizard.access import MemberRequest

T = TypeVar("T", bound=Model)


def show(
    request: MemberRequest, tenant: Tenant, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render one of the tenant's pages. `now` is one instant for all that the page says of times."""
    shared = {
        "tenant": tenant,
        "now": database_time.now(),
        "has_other_tenants": Tenant.objects.of_user(request.user).exclude(pk=tenant.pk).exists(),
    }
    return render(request, f"wizard/{template}.html", {**shared, **context}, status=status)


def page_of(request: HttpRequest, rows: QuerySet[T], *, size: int) -> Page[T]:
    """The page that `?page=` names; the nearest one where there is no such page."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
