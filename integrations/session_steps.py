"""What a session still asks its tenant's user for, and what they typed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from connectors.definitions import definition_of
from connectors.models import AuthMethod
from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.exchange import Clock
from integrations.models import Session, SessionPart
from tenants import database_time, drafts
from tenants.filled_in import values_error


def steps_of(parts: Sequence[SessionPart], now: datetime) -> list[SessionPart]:
    """The parts that are steps for the tenant's user: those in which something is, or was, missing."""
    return [part for part in parts if _asks(part, now)]


def next_step(steps: Sequence[SessionPart], now: datetime) -> int | None:
    """The number, from 1, of the first step that is still to be filled in or mended; None if none is."""
    return next((number for number, part in enumerate(steps, 1) if not _is_done(part, now)), None)


def choose(part: SessionPart, method: AuthMethod | None) -> None:
    """Take this method, or go back to choosing. What was typed for another one is forgotten."""
    if part.has_fixed_method or part.auth_method == method:
        return
    part.auth_method, part.is_typed, part.problem = method, False, None
    part.values = {key: value for key, value in part.values.items() if key in part.given}
    part.set_at = {key: moment for key, moment in part.set_at.items() if key in part.given}
    part.save()


def fill(
    session: Session, part: SessionPart, typed: Mapping[str, str | None], *, clock: Clock = database_time.now
) -> bool:
    """Keep what was typed, as `drafts.submit` does; what the backend gave stays. False if it is too late for that."""
    now = clock()
    with transaction.atomic():
        free = Session.objects.claimable(now).filter(pk=session.pk)
        if part.auth_method is None or not free.update(is_ready=False, started_at=None):
            return False
        _write(part, typed, now)
        error = values_error(part.auth_method, part.filled_in, now)
        part.is_typed = True
        part.problem = drafts.described(error) if error else None
        part.save()
    return True


def keep(session: Session, part: SessionPart, typed: Mapping[str, str | None], now: datetime) -> None:
    """Keep what was typed so far, be it enough or not."""
    with transaction.atomic():
        free = Session.objects.claimable(now).filter(pk=session.pk)
        if part.auth_method is not None and free.update(is_ready=False, started_at=None):
            _write(part, typed, now)
            part.is_typed = True  # it stays a step, even if nothing is missing any more
            part.save()


def remaining(steps: Sequence[SessionPart], current: SessionPart, now: datetime) -> list[SessionPart]:
    """The steps that are still to be done, the one that is looked at included."""
    return [part for part in steps if part == current or not _is_done(part, now)]


def make_ready(session: Session, *, clock: Clock = database_time.now) -> None:
    """Everything is filled in: whoever opens the waiting page may connect."""
    Session.objects.claimable(clock()).filter(pk=session.pk).update(is_ready=True, started_at=None)
    session.refresh_from_db()


def waits(session: Session, now: datetime) -> bool:
    """Whether it is ready to be connected, and nobody is at it."""
    return session.is_ready and session.state != Session.State.COMPLETE and not session.is_busy(now)


def _asks(part: SessionPart, now: datetime) -> bool:
    if part.auth_method is None or part.is_typed:
        return True
    if part.reconnects and not part.given:
        return True  # its values are there, but someone wants to have a look at them
    return bool(_to_type(part, values_error(part.auth_method, part.filled_in, now)))


def _is_done(part: SessionPart, now: datetime) -> bool:
    if part.auth_method is None or not part.is_typed or part.problem:
        return False
    return values_error(part.auth_method, part.filled_in, now) is None


def _to_type(part: SessionPart, error: ValidationFailed | None) -> list[str]:
    """The keys at fault that the tenant's user can do something about."""
    if error is None or part.auth_method is None:
        return []
    by_key = definition_of(part.auth_method).method.by_key
    own = [key for key in error.fields if key in by_key and by_key[key].is_typed_by_tenant]
    return [key for key in own if key not in part.given]


def _write(part: SessionPart, typed: Mapping[str, str | None], now: datetime) -> None:
    before = part.filled_in
    values, set_at = dict(part.values), dict(part.set_at)
    for key, value in typed.items():
        if key in part.given:
            continue
        if value is None:
            values[key] = None  # not popped: what a reconnected instance has would come back
            set_at.pop(key, None)
        elif before.get(key) != value:
            values[key], set_at[key] = value, now.isoformat(timespec="seconds")
    part.values, part.set_at = values, set_at
