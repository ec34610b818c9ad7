"""How webhooks and mail do: what waits to be passed on, to be delivered, to be sent. All of it found by indexes."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Q
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from integrations.models import Mailbox, WebhookDelivery, WebhookEndpoint
from integrations.models.webhook import TROUBLED_AFTER
from integrations.models.webhook_delivery import PATIENCE
from tenants import database_time
from tenants.models import Notice

COUNTED_AT_MOST = 100_000


def of_messages() -> Iterator[Metric]:
    """The metrics of all three, in the order in which a message passes them."""
    now = database_time.now()
    yield from _of_notices(now)
    yield from _of_webhooks(now)
    yield from _of_mail(now)


def _of_notices(now: datetime) -> Iterator[Metric]:
    first = Notice.objects.order_by("pk").values_list("at", flat=True).first()
    yield GaugeMetricFamily(
        "latchkey_notices_waiting",
        f"What happened and is not passed on to webhooks and mail yet; counted up to {COUNTED_AT_MOST}.",
        Notice.objects.order_by()[:COUNTED_AT_MOST].count(),
    )
    yield GaugeMetricFamily("latchkey_oldest_notice_seconds", "How long ago the first of them was.", _since(first, now))


def _of_webhooks(now: datetime) -> Iterator[Metric]:
    pending = WebhookDelivery.objects.pending()
    gives_up = pending.order_by("give_up_at").values_list("give_up_at", flat=True).first()
    yield GaugeMetricFamily(
        "latchkey_webhook_deliveries_waiting",
        f"Webhook deliveries not made yet, those to be tried again included; counted up to {COUNTED_AT_MOST}.",
        pending.order_by()[:COUNTED_AT_MOST].count(),
    )
    yield GaugeMetricFamily(
        "latchkey_webhook_oldest_waiting_seconds",
        "For how long the first of them is being tried.",
        _since(gives_up and gives_up - PATIENCE, now),
    )
    yield GaugeMetricFamily(
        "latchkey_webhook_oldest_overdue_seconds",
        "For how long the first is due whose endpoint is not in trouble.",
        _since(WebhookDelivery.objects.first_due(), now),
    )
    yield _of_endpoints()


def _of_endpoints() -> Metric:
    troubled = Q(is_enabled=True, failures__gte=TROUBLED_AFTER)
    states = WebhookEndpoint.objects.aggregate(
        enabled=Count("pk", filter=Q(is_enabled=True) & ~troubled),
        troubled=Count("pk", filter=troubled),
        disabled=Count("pk", filter=Q(is_enabled=False)),
    )
    family = GaugeMetricFamily(
        "latchkey_webhook_endpoints", "Webhook endpoints: enabled, in trouble, or disabled.", labels=("state",)
    )
    for state, count in states.items():
        family.add_metric((state,), count)
    return family


def _of_mail(now: datetime) -> Iterator[Metric]:
    waiting = Mailbox.objects.filter(due_at__isnull=False)
    first = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    yield GaugeMetricFamily(
        "latchkey_mails_waiting",
        f"Addresses that are to get a mail, those whose mail is still being collected included; "
        f"counted up to {COUNTED_AT_MOST}.",
        waiting.order_by()[:COUNTED_AT_MOST].count(),
    )
    yield GaugeMetricFamily(
        "latchkey_mail_oldest_overdue_seconds", "For how long the first of them is due.", _since(first, now)
    )


def _since(then: datetime | None, now: datetime) -> float:
    return max((now - then).total_seconds(), 0.0) if then is not None else 0.0
