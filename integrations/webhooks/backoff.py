"""When a delivery that failed is tried again, and how long an endpoint in trouble is left in peace: pure."""

import random
from collections.abc import Callable
from datetime import timedelta

Share = Callable[[], float]  # from 0 to 1

_MINUTE, _HOUR = 60.0, 3600.0
# Seconds after the first failure, the second and so on: a day in all.
DELAYS = (
    5.0,
    30.0,
    2 * _MINUTE,
    10 * _MINUTE,
    30 * _MINUTE,
    1 * _HOUR,
    2 * _HOUR,
    4 * _HOUR,
    6 * _HOUR,
    8 * _HOUR,
)
_RESTS = (30.0, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE)
DISABLED_AFTER = timedelta(days=7)  # without a single success


def next_delay(failures: int, *, wished: float | None = None, share: Share = random.random) -> timedelta | None:
    """How long to wait after so many failed attempts; None: no more of them.

    `wished` are the seconds that the receiver asked for. Up to a tenth is added at random, so that those that failed
    together don't come back together.
    """
    if failures > len(DELAYS):
        return None
    seconds = max(DELAYS[failures - 1], min(wished or 0.0, DELAYS[-1]))
    return timedelta(seconds=seconds * (1 + share() / 10))


def rest(failures: int, troubled_after: int) -> timedelta:
    """How long an endpoint with so many failures in a row is left in peace, before one delivery is tried."""
    return timedelta(seconds=_RESTS[min(max(failures - troubled_after, 0) // 2, len(_RESTS) - 1)])
