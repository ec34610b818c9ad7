"""Trying what was filled in: the page that waits, the exchange behind it, and how it ended."""

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from connectors.models import Connector
from tenants import database_time, drafts
from tenants.models import Draft, Tenant
from tenants.wizard.access import MemberRequest, member_page
from tenants.wizard.filling import go_on, own_draft
from tenants.wizard.logos import with_logo_known
from tenants.wizard.pages import show


@member_page
@require_safe
def connecting(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """The page that is seen while the exchange runs. It leads to `run` by itself, by script or by meta refresh."""
    draft = own_draft(request, tenant, pk)
    if draft.state != Draft.State.CONNECTING:
        return go_on(draft)
    connector = get_object_or_404(with_logo_known(Connector.objects.all()), pk=draft.auth_method.connector_id)
    is_first = drafts.is_claimable(draft, database_time.now())
    return show(
        request, tenant, "connecting", {"draft": draft, "connector": connector, "wait_seconds": 0 if is_first else 2}
    )


@member_page
@require_safe
def run(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """Make the exchange. A GET, for a meta refresh can't post; the draft was posted, and is tried once all the same."""
    draft = own_draft(request, tenant, pk)
    if request.method == "GET":
        drafts.run(draft)
    return go_on(draft)


@member_page
@require_safe
def progress(request: MemberRequest, tenant: Tenant, pk: UUID) -> JsonResponse:
    """How far it is, for the waiting page's script."""
    draft = own_draft(request, tenant, pk)
    is_over = draft.state != Draft.State.CONNECTING
    return JsonResponse(
        {
            "next": go_on(draft)["Location"] if is_over else None,
            "waits_for_run": drafts.is_claimable(draft, database_time.now()),
        }
    )


@member_page
@require_safe
def connected(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """Authorization complete: the token's expiry and its next renewal."""
    draft = own_draft(request, tenant, pk)
    if draft.state != Draft.State.CONNECTED:
        return go_on(draft)
    rows = tenant.instances.select_related("token").defer("token__secrets")
    instance = get_object_or_404(rows, pk=draft.instance_id)
    connector = get_object_or_404(with_logo_known(Connector.objects.all()), pk=instance.connector_id)
    return show(request, tenant, "connected", {"instance": instance, "connector": connector, "token": instance.token})
