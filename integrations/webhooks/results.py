"""What came of sending a delivery, written down: the attempt, the delivery's state, and how its endpoint is."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils.timesince import timesince

from integrations import signals
from integrations.mail.queueing import queue_disabled
from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from integrations.models.webhook import TROUBLED_AFTER
from integrations.webhooks import backoff
from integrations.webhooks.endpoints import disable

_GONE = 410


@dataclass(frozen=True)
class Answer:
    """How an endpoint answered. `wished`: wait so many seconds, it said. Without a status no whole answer came."""

    status: int | None = None
    trouble: str = ""
    excerpt: str = ""
    wished: float | None = None
    seconds: float = 0.0

    @property
    def is_fine(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def after(self, seconds: float) -> "Answer":
        return replace(self, seconds=seconds)


def settle(delivery: WebhookDelivery, answer: Answer, owner: UUID, now: datetime) -> bool | None:
    """Whether it was delivered; None if the lease was another's by now, and nothing was written."""
    state = WebhookDelivery.State
    made = delivery.attempts_made + 1
    delay = None if answer.is_fine or answer.status == _GONE else backoff.next_delay(made, wished=answer.wished)
    again = now + delay if delay is not None else None
    if again is not None and again > delivery.give_up_at:
        again = None
    with transaction.atomic():
        ours = WebhookDelivery.objects.filter(pk=delivery.pk, lease_owner=owner)
        written = ours.update(
            state=state.DELIVERED if answer.is_fine else state.PENDING if again else state.FAILED,
            attempts_made=made,
            next_attempt_at=again,
            finished_at=None if again else now,
            lease_owner=None,
            lease_until=None,
        )
        if not written:
            return None
        WebhookAttempt.objects.create(
            delivery=delivery,
            at=now,
            milliseconds=round(answer.seconds * 1000),
            status=answer.status,
            trouble="" if answer.is_fine else answer.trouble or _words(answer.status),
            excerpt=answer.excerpt,
        )
        _note(delivery.endpoint, answer, now)
    _tell(answer, has_failed=again is None and not answer.is_fine)
    return answer.is_fine


def _tell(answer: Answer, has_failed: bool) -> None:
    result = "delivered" if answer.is_fine else "refused" if answer.status is not None else "unanswered"
    signals.attempted.send_robust(None, result=result)
    if has_failed:
        signals.given_up.send_robust(None, count=1)


def _note(endpoint: WebhookEndpoint, answer: Answer, now: datetime) -> None:
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    if answer.is_fine:
        rows.update(failures=0, failing_since=None, retry_at=None, succeeded_at=now)
        return
    rows.update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", now))
    failures, since = rows.values_list("failures", "failing_since").get()
    if answer.status == _GONE:
        _give_up(endpoint, "It answered 410 Gone: it wants nothing more.", now)
    elif failures >= TROUBLED_AFTER and since is not None and now - since >= backoff.DISABLED_AFTER:
        _give_up(endpoint, f"Nothing could be delivered for {timesince(since, now)}. {_last(answer)}", now)
    elif failures >= TROUBLED_AFTER:
        rows.update(retry_at=now + backoff.rest(failures, TROUBLED_AFTER))


def _give_up(endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
    if disable(endpoint, reason, now):
        queue_disabled(endpoint, reason, now)


def _last(answer: Answer) -> str:
    return f"Last: {answer.trouble or _words(answer.status)}"


def _words(status: int | None) -> str:
    if status is not None and 300 <= status < 400:
        return f"It answered {status}, a redirect, and none is followed. Give the final address."
    return f"It answered {status}." if status is not None else "No answer came."
