"""Filling in what an authentication method asks for: anew, once more after a failure, or to reconnect."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from connectors.definitions import definition_of
from connectors.markdown import render as render_markdown
from connectors.models import AuthMethod, Connector
from tenants import database_time, drafts
from tenants.models import Draft, Instance, Tenant
from tenants.wizard.access import MemberRequest, member_page
from tenants.wizard.forms import form_of, read
from tenants.wizard.logos import with_logo_known
from tenants.wizard.pages import show


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: MemberRequest, tenant: Tenant, connector_key: str, method_key: str) -> HttpResponse:
    """A new connection's form; what is sent becomes a draft."""
    methods = AuthMethod.objects.select_related("connector")
    method = get_object_or_404(methods, connector__key=connector_key, key=method_key)
    if request.method == "POST":
        draft = drafts.begin(tenant, request.user, method, pk=_posted_id(request))
        return _submit(request, draft)
    return _show_form(request, Draft(tenant=tenant, user=request.user, auth_method=method))


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def reconnect(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """The form of an instance that is there already, filled in with its values."""
    rows = tenant.instances.select_related("auth_method__connector", "filled_in")
    instance = get_object_or_404(rows, pk=pk)
    if request.method == "POST":
        draft = drafts.begin(tenant, request.user, instance.auth_method, pk=_posted_id(request), instance=instance)
        return _submit(request, draft)
    held = instance.filled_in
    return _show_form(
        request,
        Draft(
            tenant=tenant,
            user=request.user,
            auth_method=instance.auth_method,
            instance=instance,
            values=held.values,
            set_at=held.set_at,
        ),
    )


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def draft_form(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """A form that was sent before, with what is wrong with it; for who handed it on, how that goes."""
    if request.method != "POST" and was_handed_on(request, tenant, pk):
        return redirect("wizard:handed", tenant.key, pk)
    draft = own_draft(request, tenant, pk)
    if request.method == "POST":
        return _submit(request, draft)
    if draft.state in (Draft.State.CONNECTING, Draft.State.CONNECTED):
        return go_on(draft)
    return _show_form(request, draft)


@member_page
@require_POST
def cancel(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """Throw the draft away, with what it holds."""
    draft = own_draft(request, tenant, pk)
    if not drafts.cancel(draft):
        return go_on(draft)
    messages.info(request, "Cancelled. What you had filled in was deleted.")
    if draft.instance_id is not None:
        return redirect("wizard:instance", tenant.key, draft.instance_id)
    return redirect("wizard:instances", tenant.key)


def own_draft(request: MemberRequest, tenant: Tenant, pk: UUID) -> Draft:
    """The user's own draft: another member of the tenant doesn't see it."""
    rows = tenant.drafts.select_related("auth_method__connector", "instance", "tenant", "user", "handed_on_by")
    return get_object_or_404(rows, pk=pk, user=request.user)


def was_handed_on(request: MemberRequest, tenant: Tenant, pk: UUID) -> bool:
    """Whether the user began this draft, and it waits for a colleague or became theirs."""
    theirs = Q(handed_on_by=request.user) & ~Q(user=request.user)
    return tenant.drafts.filter(Q(user=request.user, hand_on_key__isnull=False) | theirs, pk=pk).exists()


def go_on(draft: Draft) -> HttpResponse:
    """To the page of the state that the draft is in."""
    pages = {Draft.State.CONNECTING: "wizard:connecting", Draft.State.CONNECTED: "wizard:connected"}
    response = redirect(pages.get(Draft.State(draft.state), "wizard:draft"), draft.tenant.key, draft.pk)
    response.status_code = 303  # go there by GET, whatever led here
    return response


def _posted_id(request: MemberRequest) -> UUID:
    # The form carries its draft's id from the start, so that sending it twice makes one draft.
    try:
        return UUID(request.POST.get("draft", ""))
    except ValueError:
        return uuid4()


def _submit(request: MemberRequest, draft: Draft) -> HttpResponse:
    method = definition_of(draft.auth_method).method
    name = request.POST["name"].strip() if "name" in request.POST and draft.instance is None else None
    # What was handed on once isn't handed on further.
    if "hand_on" in request.POST and draft.handed_on_by_id is None:
        drafts.hand_on(draft, read(method, request.POST), name=name)
    else:
        drafts.submit(draft, read(method, request.POST), name=name)
    return go_on(draft)


def _show_form(request: MemberRequest, draft: Draft) -> HttpResponse:
    definition, now = definition_of(draft.auth_method), database_time.now()
    problem: dict[str, Any] = draft.problem or {}
    errors = problem.get("fields", {})
    form = form_of(definition, draft.values, draft.set_at, errors=errors, now=now)
    connector = get_object_or_404(with_logo_known(Connector.objects.all()), pk=draft.auth_method.connector_id)
    shown = {one.key for one in form.fields}
    context = {
        "draft": draft,
        "may_hand_on": draft.handed_on_by_id is None,
        "draft_id": draft.pk,
        "is_new": draft._state.adding,
        "instance": draft.instance,
        "connector": connector,
        "method": draft.auth_method,
        "has_methods": connector.auth_methods.count() > 1,
        "form": form,
        "problem": problem,
        "has_failed": draft.state == Draft.State.FAILED,
        "other_errors": [words for key, words in errors.items() if key not in shown],
        "asks_name": _asks_name(draft, connector),
        "documentation_url": web_address(connector.documentation_url),
        "instructions": render_markdown(draft.auth_method.instructions),
    }
    return show(request, draft.tenant, "form", context)


def _asks_name(draft: Draft, connector: Connector) -> bool:
    """Whether the tenant has a connection to it already, from which the new one must be told apart."""
    return draft.instance is None and Instance.objects.filter(tenant=draft.tenant, connector=connector).exists()


def web_address(text: str) -> str:
    """The address, if a browser only opens a page for it."""
    return text if text.startswith(("https://", "http://")) else ""
