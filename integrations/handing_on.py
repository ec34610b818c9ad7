"""Handing a set-up on: "my IT administrator has the credentials"."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from integrations import links
from integrations.models import HandOn, Session, SessionPart

# So long, and never beyond the session's own expiry.
LONGEST = timedelta(days=1)


def hand_on(session: Session, link: str, parts: Sequence[SessionPart], now: datetime) -> HandOn | None:
    """A link for a colleague, to these parts alone; None if it is too late for that. `link`: the session's own."""
    with transaction.atomic():
        if not _freed(session, now):
            return None
        HandOn.objects.filter(session=session, end="").update(end=HandOn.End.TAKEN_BACK)
        nonce, _, digest = links.derived(link)
        return HandOn.objects.create(
            session=session,
            nonce=nonce,
            digest=digest,
            parts=[part.pk for part in parts],
            created_at=now,
            expires_at=min(session.expires_at, now + LONGEST),
        )


def current(session: Session, now: datetime) -> HandOn | None:
    """With whom the session is, unless it is with its own user."""
    return HandOn.objects.active(now).filter(session=session).first()


def note_opened(handed: HandOn, now: datetime) -> None:
    if handed.opened_at is None:
        handed.opened_at = now
        handed.save(update_fields=["opened_at"])


def take_back(session: Session, now: datetime) -> bool:
    """End the colleague's link; False while what they filled in is being connected. What they filled in stays."""
    return _end(session, HandOn.End.TAKEN_BACK, now)


def pass_back(session: Session, now: datetime, *, is_filled_in: bool) -> bool:
    """The colleague can't help (any further)."""
    return _end(session, HandOn.End.RETURNED if is_filled_in else HandOn.End.DECLINED, now)


def _end(session: Session, end: HandOn.End, now: datetime) -> bool:
    with transaction.atomic():
        return _freed(session, now) and bool(HandOn.objects.filter(session=session, end="").update(end=end))


def _freed(session: Session, now: datetime) -> bool:
    """Whether nobody is connecting it; nobody starts to, either, before someone has gone through the steps."""
    free = Session.objects.claimable(now).filter(pk=session.pk)
    return bool(free.update(is_ready=False, started_at=None))
