"""The database's time: one clock for all machines, so that leases and expiries mean the same on each.

A machine's own clock may be wrong by minutes, and then it would take leases that are still held, or hand out tokens
that have died. The distance between the database's clock and this process's steadily running one is measured once a
minute; in between the time costs no query.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from django.db import connection
from django.utils import timezone

MEASURE_EVERY = 60.0  # seconds: clocks drift apart by far less than a millisecond in that time


def _asked() -> datetime:
    """What time it is in the database, now rather than at the start of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return datetime.fromtimestamp(cursor.fetchone()[0].timestamp(), UTC)


def _is_connected() -> bool:
    return connection.connection is not None


class DatabaseClock:
    """Tells the database's time. `ask` reads it there; `steady` counts seconds and never jumps.

    A thread that is not connected to the database (`is_connected`) goes by the last measurement, whoever made it.
    """

    def __init__(
        self,
        *,
        ask: Callable[[], datetime] = _asked,
        is_connected: Callable[[], bool] = _is_connected,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._is_connected = is_connected
        self._steady = steady
        # When the steady clock stood at 0, in the database's time; and where it stood when that was found out.
        self._measured: tuple[datetime, float] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Raises what the database raises, once a minute at most."""
        measured = self._measured
        if measured is None or (self._steady() - measured[1] > MEASURE_EVERY and self._is_connected()):
            measured = self._measure()
        return measured[0] + timedelta(seconds=self._steady())

    def _measure(self) -> tuple[datetime, float]:
        before = self._steady()
        there = self._ask()
        after = self._steady()
        with self._lock:
            self._measured = (there - timedelta(seconds=(before + after) / 2), after)
            return self._measured

    def forget(self) -> None:
        """Measure anew at the next question."""
        self._measured = None
        self._lock = threading.Lock()


_clock = DatabaseClock()
os.register_at_fork(after_in_child=_clock.forget)


def now() -> datetime:
    """The time in UTC: the database's where it has a server of its own, else this machine's, which all share."""
    return _clock() if _has_server() else timezone.now()


@cache
def _has_server() -> bool:
    """Looked up once: the time is asked for several times with each token."""
    return connection.vendor == "postgresql"
