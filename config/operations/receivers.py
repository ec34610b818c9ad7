"""Counts what becomes of renewals, webhooks and mail; logs renewals. No line holds more of an instance than its id."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence

from django.dispatch import receiver

from config.operations.counts import MAILS, MINTS, RENEWALS, TOKEN_REQUESTS, WEBHOOK_ATTEMPTS, WEBHOOKS_FAILED, counts
from connectors.definitions import definition_of
from connectors.oauth2.errors import LatchkeyError
from integrations import signals as messages
from tenants import signals
from tenants.asked import Exchange
from tenants.models import Event
from tenants.models.outcome import Outcome

logger = logging.getLogger(__name__)


@receiver(signals.settled)
def on_settled(sender: object, *, outcomes: Sequence[Outcome], events: Sequence[Event], **_: object) -> None:
    recovered = {event.instance_id for event in events if event.kind == Event.Kind.RECOVERED}
    made: Counter[tuple[str, str]] = Counter()
    keys: dict[int, str] = {}
    for outcome in outcomes:
        instance = outcome.instance
        if (connector := keys.get(instance.connector_id)) is None:
            connector = keys[instance.connector_id] = definition_of(instance.auth_method).method.connector.key
        # What only learnt that its endpoint is closed made no attempt.
        if "refresh_at" in outcome.columns:
            made[connector, outcome.error.code if outcome.error else "renewed"] += 1
        if outcome.error is not None:
            _say_failed(outcome.error, _said(outcome, connector))
        elif recovered and instance.id in recovered:
            logger.info("A token is renewed again after trouble.", extra=_said(outcome, connector))
    for labels, times in made.items():
        counts.count(RENEWALS, *labels, by=times)


def _said(outcome: Outcome, connector: str) -> dict[str, str]:
    return {"instance": str(outcome.instance.id), "connector": connector}


@receiver(signals.asked)
def on_asked(sender: object, *, exchanges: Sequence[Exchange], **_: object) -> None:
    taken: dict[str, list[float]] = defaultdict(list)
    for connector, seconds in exchanges:
        taken[connector].append(seconds)
    for connector, durations in taken.items():
        counts.observe(TOKEN_REQUESTS, durations, connector)


@receiver(signals.budgeted)
def on_budgeted(sender: object, *, connector: str, is_allowed: bool, **_: object) -> None:
    counts.count(MINTS, connector, "made" if is_allowed else "refused")


@receiver(messages.attempted)
def on_attempted(sender: object, *, result: str, **_: object) -> None:
    counts.count(WEBHOOK_ATTEMPTS, result)


@receiver(messages.given_up)
def on_given_up(sender: object, *, count: int, **_: object) -> None:
    counts.count(WEBHOOKS_FAILED, by=count)


@receiver(messages.posted)
def on_posted(sender: object, *, is_sent: bool, **_: object) -> None:
    counts.count(MAILS, "sent" if is_sent else "failed")


def _say_failed(error: LatchkeyError, said: dict[str, str]) -> None:
    level = logging.ERROR if error.permanent else logging.WARNING
    follows = "It waits for a person." if error.permanent else "It is tried again."
    logger.log(level, "A token could not be renewed: %s. %s", error.code, follows, extra={**said, "code": error.code})
