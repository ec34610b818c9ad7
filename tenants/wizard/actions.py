"""What a tenant's user does with an instance: check, pause, resume, rename, remove."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from connectors.models import Connector
from connectors.oauth2.errors import LatchkeyError
from tenants import connecting
from tenants.errors import NameTaken
from tenants.models import Instance, Tenant
from tenants.wizard.access import MemberRequest, member_page
from tenants.wizard.forms import RenameForm
from tenants.wizard.logos import with_logo_known
from tenants.wizard.pages import show


@member_page
@require_POST
def check(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """Ask for a token now."""
    instance = _instance(tenant, pk)
    try:
        connecting.check_now(instance, actor=request.user)
    except LatchkeyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Checked: {instance} works.")
    return _to(instance)


@member_page
@require_POST
def pause(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    instance = _instance(tenant, pk)
    connecting.pause(instance, actor=request.user)
    messages.success(request, f"{instance} is paused: its token is not renewed until you resume it.")
    return _to(instance)


@member_page
@require_POST
def resume(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    instance = _instance(tenant, pk)
    connecting.resume(instance, actor=request.user)
    messages.success(request, f"{instance} is renewed again.")
    return _to(instance)


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """A form of its own for the name."""
    instance = _instance(tenant, pk)
    form = RenameForm(request.POST if request.method == "POST" else None, initial={"name": instance.name})
    if form.is_valid():
        try:
            connecting.rename(instance, form.cleaned_data["name"], actor=request.user)
        except NameTaken:
            form.add_error("name", "Another connection to this service has this name. Choose a different one.")
        else:
            messages.success(request, f"Renamed to {instance}.")
            return _to(instance)
    context = {"instance": instance, "connector": _connector(instance), "form": form}
    return show(request, tenant, "rename", context)


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: MemberRequest, tenant: Tenant, pk: UUID) -> HttpResponse:
    """Ask first, and say what reads it."""
    instance = _instance(tenant, pk)
    if request.method == "POST":
        name = str(instance)
        connecting.remove(instance, actor=request.user)
        messages.success(request, f"{name} was removed. Its values and its token are deleted.")
        return redirect("wizard:instances", tenant.key)
    context = {
        "instance": instance,
        "connector": _connector(instance),
        "readers": connecting.readers_of(instance),
    }
    return show(request, tenant, "remove", context)


def _instance(tenant: Tenant, pk: UUID) -> Instance:
    return get_object_or_404(tenant.instances.select_related("connector", "tenant", "auth_method"), pk=pk)


def _connector(instance: Instance) -> Connector:
    return with_logo_known(Connector.objects.all()).get(pk=instance.connector_id)


def _to(instance: Instance) -> HttpResponse:
    return redirect("wizard:instance", instance.tenant.key, instance.pk)
