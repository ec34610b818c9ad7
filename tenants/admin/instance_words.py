"""What lists and pages show of an instance."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from tenants import connecting, database_time
from tenants.models import Instance, InstanceValues, NextValues, Token

EVENTS_SHOWN = 50
STATUS_COLOURS = {
    "Active": "success",
    "Pending": "info",
    "Failing": "warning",
    "Action required": "danger",
    "Paused": "info",
}


def moment(at: Any) -> str:
    return f"{date_format(at, 'j M Y, H:i:s')} UTC"


def said_of(token: Token) -> str:
    """What is known of a token, in words."""
    if token.issued_at is None:
        return "No access token yet"
    if token.expires_at is None:
        return "Valid access token, kept until an API refuses it"
    if token.expires_at <= database_time.now():
        return f"The access token expired on {moment(token.expires_at)}"
    return f"Valid access token, expires on {moment(token.expires_at)}"


class InstanceWords:
    """The read-only columns and fields of an instance, none with a secret."""

    @admin.display(description="instance", ordering="name")
    def display_name(self, instance: Instance) -> str:
        return str(instance)

    @display(  # type: ignore[untyped-decorator]
        description="status",
        ordering="status",
        label={status: STATUS_COLOURS[status.label] for status in Instance.Status},
    )
    def status_label(self, instance: Instance) -> Any:
        return instance.status, instance.get_status_display()

    @admin.display(description="token expires", ordering="token__expires_at")
    def expires(self, instance: Instance) -> str:
        token = getattr(instance, "token", None)
        if token is None or token.issued_at is None:
            return "-"
        return moment(token.expires_at) if token.expires_at else "when refused"

    # What one page shows

    @admin.display(description="status")
    def status_words(self, instance: Instance) -> str:
        return instance.get_status_display()

    @admin.display(description="tenant")
    def tenant_link(self, instance: Instance) -> SafeString:
        return _link("admin:tenants_tenant_change", instance.tenant_id, str(instance.tenant))

    @admin.display(description="authentication method")
    def method_link(self, instance: Instance) -> SafeString:
        return _link(
            "admin:connectors_authmethod_change",
            instance.auth_method_id,
            f"{instance.connector}: {instance.auth_method}",
        )

    @admin.display(description="token")
    def token_state(self, instance: Instance) -> str:
        return said_of(instance.token)

    @admin.display(description="last renewal")
    def last_renewal(self, instance: Instance) -> str:
        return moment(instance.token.issued_at) if instance.token.issued_at else "never"

    @admin.display(description="next renewal")
    def next_renewal(self, instance: Instance) -> str:
        return moment(instance.token.refresh_at) if instance.token.refresh_at else "not by itself"

    @admin.display(description="secret expires")
    def secret_expires(self, instance: Instance) -> str:
        held = InstanceValues.objects.defer("values").filter(pk=instance.pk).first()
        return moment(held.secret_expires_at) if held and held.secret_expires_at else "not known"

    @admin.display(description="next secret")
    def next_secret(self, instance: Instance) -> str:
        following = NextValues.objects.defer("values").filter(pk=instance.pk).first()
        if following is None:
            return "None waits."
        words = f"Waits since {moment(following.added_at)}"
        if following.secret_expires_at:
            words += f", expires on {moment(following.secret_expires_at)}"
        return f"{words}. Refused so far: {following.refusal}" if following.refused_at else f"{words}."

    @admin.display(description="read by")
    def readers(self, instance: Instance) -> str:
        return ", ".join(connecting.readers_of(instance)) or "No integration reads it."

    @admin.display(description="")
    def history(self, instance: Instance) -> SafeString:
        events = instance.events.select_related("actor")[:EVENTS_SHOWN]
        return SafeString(
            render_to_string("admin/tenants/instance/events.html", {"events": events, "shown": EVENTS_SHOWN})
        )


def _link(view: str, pk: Any, words: str) -> SafeString:
    return format_html('<a href="{}" class="lk-link">{}</a>', reverse(view, args=(pk,)), words)
