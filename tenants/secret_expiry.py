"""Secrets that run out: people are told in time, a month, a week and a day ahead."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q

from connectors.oauth2.exchange import Clock
from tenants import database_time
from tenants.errors import removed
from tenants.models.event import Event
from tenants.models.instance import Instance, InstanceValues

WARN_DAYS = (1, 7, 30)  # days ahead, the nearest first
_BATCH = 200


def set_expiry(
    instance: Instance, secret_expires_at: datetime | None, *, actor: Any = None, clock: Clock = database_time.now
) -> None:
    """Say when the instance's secret runs out (None: not known). With another date warnings begin anew.

    Raises `InstanceNotFound`.
    """
    with transaction.atomic():
        locked = Instance.objects.lock(instance.pk)
        held = InstanceValues.objects.defer("values").filter(pk=instance.pk).first()
        if held is None:
            raise removed()
        if held.secret_expires_at == secret_expires_at:
            return  # who says it every night is not warned every night
        InstanceValues.objects.filter(pk=instance.pk).update(secret_expires_at=secret_expires_at, warned_days=None)
        says = "is not known" if secret_expires_at is None else f"is {secret_expires_at:%Y-%m-%d}"
        event = locked.event(Event.Kind.CHANGED, at=clock(), message=f"The secret's last day {says}.", actor=actor)
        event.save(force_insert=True)


def warn(now: datetime) -> int:
    """Record a warning for each secret that comes within a month, a week or a day of its end; how many there were.

    Each is warned of once for each of these distances. An instance whose next secret stands ready is left in peace.
    """
    warned, nearer = 0, None
    for days in WARN_DAYS:
        while batch := list(_to_warn(now, days, nearer)[:_BATCH]):
            for held in batch:
                warned += _warn_of(held, days, nearer, now)
        nearer = days
    return warned


def _to_warn(now: datetime, days: int, nearer: int | None) -> "models.QuerySet[InstanceValues]":
    """Those whose end is at most so many days ahead, and not within the next nearer distance: that has its own turn."""
    soon = InstanceValues.objects.defer("values").filter(secret_expires_at__lte=now + timedelta(days=days))
    if nearer is not None:
        soon = soon.filter(secret_expires_at__gt=now + timedelta(days=nearer))
    unwarned = Q(warned_days=None) | Q(warned_days__gt=days)
    awake = ~Q(instance__status=Instance.Status.PAUSED)
    return soon.filter(unwarned, awake, instance__next_values=None).select_related("instance").order_by("pk")


def _warn_of(found: InstanceValues, days: int, nearer: int | None, now: datetime) -> bool:
    with transaction.atomic():
        locked = Instance.objects.lock_all([found.pk]).get(found.pk)
        # Another worker may have found it too; it may have been paused, or a new secret or date given meanwhile.
        held = _to_warn(now, days, nearer).filter(pk=found.pk).first()
        if locked is None or held is None:
            return False
        InstanceValues.objects.filter(pk=held.pk).update(warned_days=days)
        event = locked.event(Event.Kind.SECRET_EXPIRING, at=now, message=_words(held, now))
        assert held.secret_expires_at is not None  # noqa: S101 - for the type checker: the query asked for it
        Event.objects.note([event], secret_expires_at=held.secret_expires_at.isoformat())
    return True


def _words(held: InstanceValues, now: datetime) -> str:
    assert held.secret_expires_at is not None  # noqa: S101 - for the type checker: the query asked for it
    left = held.secret_expires_at - now
    day = f"{held.secret_expires_at:%Y-%m-%d}"
    when = f"expired on {day}" if left <= timedelta() else f"expires on {day}, in {_distance(left)}"
    return (
        f"The secret {when}. Tokens can't be renewed after that. Make a new secret in the provider's console, and add "
        "it here as the next secret before then."
    )


def _distance(left: timedelta) -> str:
    days = -(-int(left.total_seconds()) // 86_400)
    return "a day" if days <= 1 else f"{days} days"
