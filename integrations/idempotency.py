"""Requests that may be repeated: the same Idempotency-Key is worked on once, and answered alike."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.exchange import Clock
from integrations.models import ApiKey, IdempotentAnswer

KEPT = timedelta(days=1)
# A request that has no answer by then died with its process.
ABANDONED = timedelta(minutes=5)
LONGEST = 255

Answer = dict[str, Any]


class IdempotencyKeyInUse(LatchkeyError):
    """The first request with this key is still being worked on."""

    code = "idempotency_key_in_use"
    retry_after = 1.0


class IdempotencyKeyReused(LatchkeyError):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    permanent = True


def once(
    api_key: ApiKey, key: str | None, request: str, act: Callable[[], Answer], *, clock: Clock = timezone.now
) -> Answer:
    """What `act` answers; for a key that was used before, what it answered then, and `act` is not called.

    `request` is everything that makes one request the same as another. What fails is not kept: it may be tried again
    with the same key. Raises `IdempotencyKeyInUse`, `IdempotencyKeyReused` or what `act` raises.
    """
    if not key:
        return act()
    now = clock()
    answers = IdempotentAnswer.objects.all()
    answers.from_before(now - KEPT).delete()
    answers.from_before(now - ABANDONED).unfinished().filter(api_key=api_key, key=key).delete()
    # Keyed, as a request may hold secrets.
    fingerprint = salted_hmac(__name__, request, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()
    row, is_first = answers.get_or_create(
        api_key=api_key, key=key, defaults={"fingerprint": fingerprint, "created_at": now}
    )
    if not is_first:
        return _repeated(row, fingerprint)
    try:
        body = act()
    except BaseException:
        row.delete()
        raise
    row.body = body
    row.save(update_fields=["body"])
    return body


def _repeated(row: IdempotentAnswer, fingerprint: str) -> Answer:
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used for another request.",
            "A key stands for one request, with the same address and body.",
            "Make a new key for each request, and repeat it only with the same one.",
        )
    if row.body is None:
        raise IdempotencyKeyInUse(
            "The first request with this Idempotency-Key is still being worked on.", remedy="Ask again in a moment."
        )
    return row.body
