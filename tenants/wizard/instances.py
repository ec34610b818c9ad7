"""A tenant's instances: the list, and one instance with its history."""

from uuid import UUID

from django.db.models import Case, IntegerField, Prefetch, Q, Value, When
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from connectors.definitions import definition_of
from connectors.models import Connector
from connectors.oauth2.values import resolve
from tenants import database_time
from tenants.models import Instance, Tenant
from tenants.models.instance import InstanceQuerySet
from tenants.wizard.access import MemberRequest, member_page
from tenants.wizard.logos import with_logo_known
from tenants.wizard.pages import page_of, show
from tenants.wizard.summary import summary_of

PER_PAGE = 50
EVENTS_PER_PAGE = 15

_URGENCY = Case(
    When(status=Instance.Status.ACTION_REQUIRED, then=Value(0)),
    When(status=Instance.Status.FAILING, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@member_page
@require_safe
def listing(request: MemberRequest, tenant: Tenant) -> HttpResponse:
    """The tenant's instances, what needs attention first."""
    rows = _shown(tenant).order_by(_URGENCY, "connector__name", "name", "created_at")
    context = {
        "page": page_of(request, rows, size=PER_PAGE),
        "attention": tenant.instances.filter(
            Q(status=Instance.Status.ACTION_REQUIRED) | Q(status=Instance.Status.FAILING)
        ).count(),
    }
    return show(request, tenant, "instances", context)


@member_page
@require_safe
def detail(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """One instance: status, token, values, history."""
    rows = _shown(tenant).select_related("filled_in", "next_values").defer("token__secrets", "next_values__values")
    instance = get_object_or_404(rows, pk=pk)
    definition, now = definition_of(instance.auth_method), database_time.now()
    held = instance.filled_in
    rendering = resolve(definition.method, held.values, definition.operator_values(), now=now)
    context = {
        "instance": instance,
        "connector": instance.connector,
        "token": instance.token,
        "has_secret": any(one.secret and one.is_typed_by_tenant for one in definition.method.asked),
        "secret_expires_at": held.secret_expires_at,
        "following": getattr(instance, "next_values", None),
        "summary": summary_of(definition.method, held.values, held.set_at, rendering),
        "page": page_of(request, instance.events.select_related("actor"), size=EVENTS_PER_PAGE),
    }
    return show(request, tenant, "instance", context)


def _shown(tenant: Tenant) -> InstanceQuerySet:
    """Instances with what a page says of them; not the token itself."""
    connectors = Prefetch("connector", with_logo_known(Connector.objects.all()))
    rows: InstanceQuerySet = tenant.instances.all()
    return rows.select_related("auth_method", "token").defer("token__secrets").prefetch_related(connectors)
