"""What lists and pages show of webhook endpoints and their deliveries."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import display

from integrations.models import WebhookDelivery, WebhookEndpoint
from tenants.admin.instance_words import moment
from tenants.models import Notice

WORKS, FAILING, DISABLED = "works", "failing", "disabled"
STATES = {WORKS: "Enabled", FAILING: "Failing", DISABLED: "Disabled"}
SHOWN = 50  # attempts


def state_of(endpoint: WebhookEndpoint) -> str:
    """One of STATES."""
    if not endpoint.is_enabled:
        return DISABLED
    return FAILING if endpoint.failures else WORKS


class EndpointWords:
    """The read-only columns and fields of an endpoint."""

    @admin.display(description="endpoint", ordering="description")
    def display_name(self, endpoint: WebhookEndpoint) -> str:
        return Truncator(endpoint).chars(60)

    @admin.display(description="events")
    def types_words(self, endpoint: WebhookEndpoint) -> str:
        if not endpoint.types:
            return "all"
        return ", ".join(endpoint.types) if len(endpoint.types) < 3 else f"{len(endpoint.types)} of {len(Notice.Type)}"

    @admin.display(description="integration", ordering="integration__name")
    def integration_words(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint.integration) if endpoint.integration else "every integration"

    @admin.display(description="last success", ordering="succeeded_at")
    def last_success(self, endpoint: WebhookEndpoint) -> str:
        return moment(endpoint.succeeded_at) if endpoint.succeeded_at else "never"

    @display(  # type: ignore[untyped-decorator]
        description="state",
        label={WORKS: "success", FAILING: "warning", DISABLED: "danger"},
    )
    def state_label(self, endpoint: WebhookEndpoint) -> Any:
        state = state_of(endpoint)
        return state, STATES[state]

    @admin.display(description="state")
    def state_words(self, endpoint: WebhookEndpoint) -> str:
        state = state_of(endpoint)
        if state == DISABLED and endpoint.disabled_at:
            return f"Disabled since {moment(endpoint.disabled_at)}. {endpoint.disabled_reason}"
        if state == FAILING and endpoint.failing_since:
            so_far = f"{endpoint.failures} attempt{'' if endpoint.failures == 1 else 's'}"
            return (
                f"Failing since {moment(endpoint.failing_since)}, {so_far} so far. "
                "After a week without a success it is disabled."
            )
        return "Enabled. Nothing has failed since the last success." if endpoint.succeeded_at else "Enabled."

    @admin.display(description="signing secrets")
    def secrets_words(self, endpoint: WebhookEndpoint) -> SafeString:
        rows = []
        for secret in endpoint.secrets.in_use(timezone.now()).defer("value"):
            until = f", signs until {moment(secret.expires_at)}" if secret.expires_at else ""
            rows.append(format_html("<li>made on {}{}</li>", moment(secret.created_at), until))
        return format_html('<ul class="lk-list">{}</ul>', SafeString("".join(rows))) if rows else SafeString("none")

    @admin.display(description="deliveries")
    def deliveries_link(self, endpoint: WebhookEndpoint) -> SafeString:
        listed = f"{reverse('admin:integrations_webhookdelivery_changelist')}?endpoint__id__exact={endpoint.pk}"
        waiting = endpoint.deliveries.filter(state="pending").count()
        words = f"Show the deliveries ({waiting} pending)" if waiting else "Show the deliveries"
        return format_html('<a href="{}" class="lk-link">{}</a>', listed, words)


class DeliveryWords:
    """The columns and fields of a delivery, all of them read-only."""

    @admin.display(description="event", ordering="type")
    def display_type(self, delivery: WebhookDelivery) -> str:
        return delivery.type

    @admin.display(description="about")
    def about(self, delivery: WebhookDelivery) -> str:
        data = _data(delivery)
        named = (data.get("tenant"), data.get("connector") or data.get("integration"))
        return " · ".join(str(name) for name in named if name) or "—"

    @display(  # type: ignore[untyped-decorator]
        description="state",
        ordering="state",
        label={"pending": "info", "delivered": "success", "failed": "danger"},
    )
    def state_label(self, delivery: WebhookDelivery) -> Any:
        return delivery.state, delivery.get_state_display()

    @admin.display(description="state")
    def state_words(self, delivery: WebhookDelivery) -> str:
        if delivery.state == WebhookDelivery.State.PENDING and delivery.next_attempt_at:
            when = "is due" if delivery.next_attempt_at <= timezone.now() else f"at {moment(delivery.next_attempt_at)}"
            return f"Pending: the next attempt {when}. It is tried until {moment(delivery.give_up_at)}."
        ended = f" at {moment(delivery.finished_at)}" if delivery.finished_at else ""
        return f"{delivery.get_state_display()}{ended}"

    @admin.display(description="happened", ordering="created_at")
    def created(self, delivery: WebhookDelivery) -> str:
        return moment(delivery.created_at)

    @admin.display(description="endpoint")
    def endpoint_link(self, delivery: WebhookDelivery) -> SafeString:
        page = reverse("admin:integrations_webhookendpoint_change", args=(delivery.endpoint_id,))
        return format_html('<a href="{}" class="lk-link">{}</a>', page, str(delivery.endpoint))

    @admin.display(description="body")
    def body_shown(self, delivery: WebhookDelivery) -> SafeString:
        laid_out = json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False)
        return format_html('<pre class="lk-key">{}</pre>', laid_out)

    @admin.display(description="attempts")
    def attempts_shown(self, delivery: WebhookDelivery) -> str:
        context = {"attempts": list(delivery.attempts.all()[:SHOWN]), "shown": SHOWN}
        return render_to_string("admin/integrations/webhook/attempts.html", context)


def _data(delivery: WebhookDelivery) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(delivery.body)["data"]
    return data
