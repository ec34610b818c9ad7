"""For a colleague: the link that hands a draft on, and the page behind it."""

from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connectors.models import Connector
from tenants import drafts
from tenants.models import Draft, Tenant
from tenants.wizard.access import MemberRequest, member_page
from tenants.wizard.filling import go_on, own_draft
from tenants.wizard.logos import with_logo_known
from tenants.wizard.pages import show


@member_page
@require_safe
def handed(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """For whoever handed it on: the link to pass on, and what became of it."""
    mine = Q(user=request.user) | Q(handed_on_by=request.user)
    draft = get_object_or_404(tenant.drafts.select_related("user", "auth_method", "instance"), mine, pk=pk)
    is_mine = draft.user_id == request.user.pk
    if is_mine and draft.hand_on_key is None:
        return go_on(draft)
    connector = _connector(draft)
    url = settings.PUBLIC_URL + reverse("wizard:take-over", args=(tenant.key, draft.hand_on_key)) if is_mine else ""
    context = {
        "draft": draft,
        "connector": connector,
        "is_waiting": is_mine,
        "is_connected": draft.state == Draft.State.CONNECTED,
        "handed_url": url,
        "mail_url": f"mailto:?subject={quote(f'Please connect {connector} for {tenant}')}&body={quote(url)}",
    }
    return show(request, tenant, "handed", context)


@member_page
@require_POST
def take_back(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """The link ends, and the one who handed the draft on goes on themselves."""
    draft = own_draft(request, tenant, pk)
    drafts.take_back(draft)
    return redirect("wizard:draft", tenant.key, draft.pk)


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def take_over(request: MemberRequest, tenant: Tenant, key: UUID) -> HttpResponse:
    """Behind the link: what a colleague asks for. By POST the draft becomes this member's."""
    rows = tenant.drafts.select_related("user", "auth_method", "instance")
    draft = get_object_or_404(rows, hand_on_key=key)
    if draft.user_id == request.user.pk:
        return redirect("wizard:handed", tenant.key, draft.pk)
    if request.method != "POST":
        return show(request, tenant, "take_over", {"draft": draft, "connector": _connector(draft)})
    if not drafts.take_over(draft, request.user):
        raise Http404  # somebody else was quicker
    return redirect("wizard:draft", tenant.key, draft.pk)


def _connector(draft: Draft) -> Connector:
    return with_logo_known(Connector.objects.all()).get(pk=draft.auth_method.connector_id)
