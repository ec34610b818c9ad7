"""The policy of renewal, pure: when a token is asked for again, and what follows each kind of failure.

`share` is a random number from 0 to 1, handed in: it spreads what would otherwise march in step.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.oauth2.definition import TEN_YEARS
from connectors.oauth2.errors import LatchkeyError, MintBudgetSpent, ProviderUnavailable, ValidationFailed

# A token is renewed at four fifths of its life, earlier by up to a tenth of it, and never before half of it.
RENEW_AT = 0.8
SPREAD = 0.1
NEVER_BEFORE = 0.5

# What a reader is promised by default: so many seconds, or half the token's life if that is less.
MIN_TTL = 30.0

# A short-lived token is renewed so many seconds ahead, lest a reader has to: what readers are promised, and two ticks.
AHEAD_OF_READERS = MIN_TTL + 10

BACKOFF_FIRST = timedelta(seconds=5)
BACKOFF_MOST = timedelta(minutes=15)

# A token that an API keeps rejecting is not replaced more often than this: the fault lies elsewhere, and every
# replacement counts against the provider's patience.
REJECTIONS_HONOURED = 5
REJECTIONS_WITHIN = timedelta(minutes=5)


# An endpoint that so many requests in a row found in trouble, of more than one instance, is left alone but for probes.
CLOSED_AFTER = 3
PROBE_MOST = timedelta(minutes=1)

# After an endpoint's recovery: so many renewals in the first second, and one more in each second that follows.
RECOVERY_RATE = 5.0


@dataclass(slots=True)
class Life:
    """From when to when a token lives. `expires_at` None: until an API refuses it."""

    issued_at: datetime
    expires_at: datetime | None

    @property
    def length(self) -> timedelta | None:
        return None if self.expires_at is None else self.expires_at - self.issued_at

    def promised(self, min_ttl: float | None) -> float:
        """How many seconds a token handed to a reader must live on: `min_ttl`, or the default."""
        if min_ttl is not None:
            return min_ttl
        return MIN_TTL if self.length is None else min(MIN_TTL, self.length.total_seconds() / 2)

    def will_do(self, now: datetime, min_ttl: float | None) -> bool:
        """Whether the token can be handed to a reader."""
        if self.expires_at is None:
            return True
        left = (self.expires_at - now).total_seconds()
        return left > 0 and left >= self.promised(min_ttl)


def will_do(
    life: Life | None, renewed_at: datetime | None, is_rejected: bool, now: datetime, min_ttl: float | None
) -> bool:
    """Whether a stored token can be handed to a reader who wants `min_ttl` seconds of it."""
    if life is None or is_rejected:
        return False
    # A provider that handed back the same token would do so again: it is served until it dies.
    return life.will_do(now, 0.0 if min_ttl is None and is_repeated(life, renewed_at) else min_ttl)


def is_repeated(life: Life | None, renewed_at: datetime | None) -> bool:
    """Whether the provider, when last asked, handed back the same token."""
    return life is not None and renewed_at is not None and renewed_at > life.issued_at


def check_min_ttl(min_ttl: float | None) -> None:
    """Raise `ValidationFailed` for what no token can have: fewer than no seconds, or more than ten years of them."""
    is_number = isinstance(min_ttl, int | float)  # whatever the types say: it comes from the host's code
    if min_ttl is None or (is_number and 0 <= min_ttl <= TEN_YEARS):  # NaN is neither
        return
    problem = f"min_ttl must be a number of seconds from 0 to {TEN_YEARS}, not {_shown(min_ttl)}."
    raise ValidationFailed(
        "No token can be had on these terms.",
        problem,
        "Leave min_ttl out for the default.",
        fields={"min_ttl": problem},
    )


def _shown(min_ttl: object) -> str:
    if not isinstance(min_ttl, int | float):
        return f"a value of the type {type(min_ttl).__name__}"
    # An int may have more digits than any float, or any text, can take.
    return f"{min_ttl:g}" if isinstance(min_ttl, float) or abs(min_ttl) < 10**18 else "one of so many digits"


def refresh_at(life: Life, *, early: int, share: float, is_same_token: bool = False) -> datetime | None:
    """When to renew a token that was just bought; None for one without an expiry.

    `early` is the definition's wish in seconds before the expiry. A provider that handed back the same token is not
    asked again before that token is nearly dead: until then it would only do so once more.
    """
    if life.expires_at is None or life.length is None:
        return None
    if is_same_token:
        return life.expires_at
    length = life.length.total_seconds()  # reckoned in seconds: fractions of a timedelta take many times as long
    planned = min(length * RENEW_AT, length - max(early, AHEAD_OF_READERS)) - length * SPREAD * share
    return life.issued_at + timedelta(seconds=max(planned, length * NEVER_BEFORE))


def retry_at(error: LatchkeyError, *, failures: int, now: datetime, share: float) -> datetime | None:
    """When to ask again after an error; None if only a person can mend it.

    `failures` counts those in a row, this one included. The wait doubles with each, and what the provider wishes
    (`Retry-After`) is the least.
    """
    if error.permanent:
        return None
    wait = min(BACKOFF_FIRST * 2.0 ** min(failures - 1, 16), BACKOFF_MOST) * (0.75 + 0.5 * share)
    wish: float | None = error.retry_after if isinstance(error, ProviderUnavailable | MintBudgetSpent) else None
    return now + max(wait, timedelta(seconds=wish or 0.0))


def probe_after(probes: int) -> timedelta:
    """How long an endpoint is left alone after so many probes in a row that found it in trouble."""
    return min(BACKOFF_FIRST * 2.0 ** min(probes, 16), PROBE_MOST)


def paced(rank: int) -> timedelta:
    """How long the one at this place (from 0) waits for its turn when an endpoint is back.

    The pace begins slowly, for who is just back may fall again, and quickens steadily: a hundred are through in ten
    seconds, a hundred thousand in seven and a half minutes.
    """
    return timedelta(seconds=(RECOVERY_RATE**2 + 2.0 * rank) ** 0.5 - RECOVERY_RATE)
