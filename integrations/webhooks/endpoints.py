"""What people do to endpoints and deliveries: secrets, disabling, trying out, sending again."""

from datetime import datetime, timedelta

from django.db import transaction

from connectors.oauth2.exchange import Clock
from integrations import signals
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from integrations.models.webhook_delivery import PATIENCE, WebhookDeliveryQuerySet
from integrations.webhooks import payloads
from integrations.webhooks.fanning_out import delivery
from integrations.webhooks.signing import new_secret
from tenants import database_time

OVERLAP = timedelta(days=1)


def add_secret(endpoint: WebhookEndpoint, *, overlap: timedelta = OVERLAP, clock: Clock = database_time.now) -> str:
    """A new secret for the endpoint. Those it has go on signing beside it for `overlap`, unless they end before.

    The text is shown this once: who asked must show it now.
    """
    now, text = clock(), new_secret()
    with transaction.atomic():
        endpoint.secrets.filter(expires_at__lte=now).delete()
        endpoint.secrets.filter(expires_at=None).update(expires_at=now + overlap)
        endpoint.secrets.filter(expires_at__gt=now + overlap).update(expires_at=now + overlap)
        WebhookSecret.objects.create(endpoint=endpoint, value=text, created_at=now)
    return text


def disable(endpoint: WebhookEndpoint, reason: str, now: datetime) -> bool:
    """Tell the endpoint nothing any more, what waits included; whether it was enabled until now."""
    with transaction.atomic():
        enabled = WebhookEndpoint.objects.enabled().filter(pk=endpoint.pk)
        if not enabled.update(is_enabled=False, disabled_reason=reason, disabled_at=now, retry_at=None):
            return False
        _give_up(WebhookDelivery.objects.pending().filter(endpoint=endpoint), now)
    return True


def enable(endpoint: WebhookEndpoint) -> None:
    """Tell the endpoint what happens from now on. What it missed can be sent again."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        is_enabled=True, disabled_reason="", disabled_at=None, failures=0, failing_since=None, retry_at=None
    )


def add_test(endpoint: WebhookEndpoint, *, clock: Clock = database_time.now) -> WebhookDelivery:
    """A delivery that says nothing but that it is a test."""
    now = clock()
    row = delivery(endpoint, payloads.TEST, {"message": "A test, sent by hand."}, at=now, now=now)
    row.save(force_insert=True)
    return row


def send_again(deliveries: "list[str]", *, clock: Clock = database_time.now) -> int:
    """Try these, by id, anew for a day, with the same ids, so that a receiver knows what it has seen; how many.

    What waits already is tried at once.
    """
    now = clock()
    rows = WebhookDelivery.objects.filter(pk__in=deliveries, endpoint__is_enabled=True)
    return rows.update(
        state=WebhookDelivery.State.PENDING,
        attempts_made=0,
        next_attempt_at=now,
        give_up_at=now + PATIENCE,
        finished_at=None,
    )


def prune(now: datetime, *, keep: timedelta, batch: int = 1000) -> None:
    """Give up what nobody got to within its day, and delete what was told before so long."""
    _give_up(WebhookDelivery.objects.overdue(now), now)
    old = WebhookDelivery.objects.filter(created_at__lt=now - keep).order_by()
    while pks := list(old.values_list("pk", flat=True)[:batch]):
        WebhookDelivery.objects.filter(pk__in=pks).delete()


def _give_up(deliveries: WebhookDeliveryQuerySet, now: datetime) -> None:
    count = deliveries.update(state=WebhookDelivery.State.FAILED, next_attempt_at=None, finished_at=now)
    signals.given_up.send_robust(None, count=count)
