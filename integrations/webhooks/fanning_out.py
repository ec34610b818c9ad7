"""From what happened to what each endpoint is to be told."""

from collections.abc import Sequence
from datetime import datetime

from integrations.models import Component, Integration, WebhookDelivery, WebhookEndpoint
from integrations.models.webhook_delivery import PATIENCE
from integrations.webhooks import payloads
from tenants.models import Notice


def fan_out(notices: Sequence[Notice], now: datetime) -> int:
    """Put down a delivery for each endpoint that takes these; how many. One query where there is no endpoint."""
    endpoints = list(WebhookEndpoint.objects.enabled())
    if not endpoints:
        return 0
    components = Component.objects.select_related("integration").only(
        "connector_id", "auth_method_id", "integration_id", "integration__key"
    )
    by_key = dict(Integration.objects.values_list("key", "pk"))
    concerned = payloads.integrations_of(notices, payloads.Readers(components.order_by()), by_key)
    deliveries = [
        delivery(endpoint, notice.type, payloads.data_of(notice, integrations, endpoint), at=notice.at, now=now)
        for notice, integrations in zip(notices, concerned, strict=True)
        for endpoint in endpoints
        if endpoint.takes(notice.type, integrations)
    ]
    WebhookDelivery.objects.bulk_create(deliveries, batch_size=500)
    return len(deliveries)


def delivery(
    endpoint: WebhookEndpoint, type: str, data: dict[str, object], *, at: datetime, now: datetime
) -> WebhookDelivery:
    """A delivery that is due now, still to be saved."""
    return WebhookDelivery(
        endpoint=endpoint,
        type=type,
        body=payloads.written(type, at, data),
        next_attempt_at=now,
        give_up_at=now + PATIENCE,
        created_at=now,
    )
