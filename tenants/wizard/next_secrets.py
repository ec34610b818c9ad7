"""The next secret of an instance: added, taken away, or put in the present one's place; and when one runs out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from connectors.definitions import definition_of
from connectors.models import Connector
from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from connectors.oauth2.method import Method
from tenants import database_time, next_secret, secret_expiry
from tenants.errors import InstanceNotFound
from tenants.models import Instance, NextValues, Tenant
from tenants.wizard.access import MemberRequest, member_page
from tenants.wizard.forms import ExpiryForm, form_of, read
from tenants.wizard.logos import with_logo_known
from tenants.wizard.pages import show

_ADDED = (
    "The next secret was added. {} does not know it yet, so the present one goes on; the next is tried at each renewal."
)
_PAUSED = "The next secret was added. It is tried first when you resume."


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """The form of the instance's values; what is typed anew is kept beside the present ones."""
    instance = _instance(tenant, pk)
    if request.method != "POST":
        return _show_form(request, instance, ExpiryForm(), {})
    expiry = ExpiryForm(request.POST)
    following, wrong = _changed(definition_of(instance.auth_method).method, instance, request)
    if wrong:
        return _show_form(request, instance, expiry, following, problem="One value needs mending.", errors=wrong)
    if not following:
        return _show_form(request, instance, expiry, {}, problem="Nothing new was typed. Give the next secret.")
    if not expiry.is_valid():
        return _show_form(request, instance, expiry, following, problem="The day can't be used.")
    try:
        next_secret.add(instance, following, secret_expires_at=expiry.moment, actor=request.user)
    except ValidationFailed as error:
        return _show_form(request, instance, expiry, following, problem=str(error), errors=error.fields)
    except InstanceNotFound:
        raise
    except LatchkeyError as error:
        messages.warning(request, f"The next secret was added, but no token could be had just now. {error}")
    else:
        _say_what_came_of_it(request, instance)
    return _to(instance)


@member_page
@require_POST
def drop(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """Take the next secret away."""
    instance = _instance(tenant, pk)
    if next_secret.drop(instance, actor=request.user):
        messages.success(request, "The next secret was taken away. The present one stays.")
    return _to(instance)


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """Put the next secret in the present one's place, untried; ask first."""
    instance = _instance(tenant, pk)
    following = NextValues.objects.defer("values").filter(pk=instance.pk).first()
    if following is None:
        return _to(instance)
    if request.method == "POST":
        if next_secret.retire_present(instance, actor=request.user):
            messages.success(request, "The present secret was retired. The next one has taken its place.")
        return _to(instance)
    context = {"instance": instance, "connector": _connector(instance), "following": following}
    return show(request, tenant, "retire", context)


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def expiry(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """A form of its own for the day on which the present secret runs out."""
    instance = _instance(tenant, pk)
    known = instance.filled_in.secret_expires_at
    form = ExpiryForm(
        request.POST if request.method == "POST" else None,
        initial={"day": known.astimezone(UTC).date() if known else None},
    )
    if form.is_valid():
        secret_expiry.set_expiry(instance, form.moment, actor=request.user)
        messages.success(request, _said(form.moment))
        return _to(instance)
    context = {"instance": instance, "connector": _connector(instance), "expiry": form}
    return show(request, tenant, "secret_expiry", context)


def _changed(method: Method, instance: Instance, request: MemberRequest) -> tuple[dict[str, str], dict[str, str]]:
    """What was typed and is not what is there already; and by key, what is wrong with it."""
    present: Mapping[str, str] = instance.filled_in.values
    typed = read(method, request.POST)
    emptied = {key for key, value in typed.items() if value is None and key in present}
    changed = {key: value for key, value in typed.items() if value is not None and value != present.get(key)}
    return changed, dict.fromkeys(emptied, "This can't be set back along with a next secret. Reconnect to do so.")


def _show_form(
    request: MemberRequest,
    instance: Instance,
    expiry: ExpiryForm,
    typed: Mapping[str, str],
    *,
    problem: str = "",
    errors: Mapping[str, str] | None = None,
) -> HttpResponse:
    definition, held = definition_of(instance.auth_method), instance.filled_in
    # A secret that was typed is not shown again, so it has to be typed again.
    values = {**held.values, **{key: text for key, text in typed.items() if key not in definition.method.secret_keys}}
    form = form_of(definition, values, held.set_at, errors=errors or {}, now=database_time.now())
    context: dict[str, Any] = {
        "instance": instance,
        "connector": _connector(instance),
        "form": form,
        "expiry": expiry,
        "problem": problem,
        "is_waiting": NextValues.objects.filter(pk=instance.pk).exists(),
    }
    return show(request, instance.tenant, "next_secret", context)


def _say_what_came_of_it(request: MemberRequest, instance: Instance) -> None:
    if not NextValues.objects.filter(pk=instance.pk).exists():
        messages.success(request, "The next secret works. It has taken the present one's place.")
    elif instance.status == Instance.Status.PAUSED:
        messages.info(request, _PAUSED)
    else:
        messages.info(request, _ADDED.format(instance.connector))


def _said(moment: datetime | None) -> str:
    return (
        f"You are warned before {moment:%d %b %Y}." if moment else "It is not known any more when the secret expires."
    )


def _instance(tenant: Tenant, pk: UUID) -> Instance:
    rows = tenant.instances.select_related("connector", "tenant", "auth_method", "filled_in")
    return get_object_or_404(rows, pk=pk)


def _connector(instance: Instance) -> Connector:
    return with_logo_known(Connector.objects.all()).get(pk=instance.connector_id)


def _to(instance: Instance) -> HttpResponse:
    return redirect("wizard:instance", instance.tenant.key, instance.pk)
