"""The history has an end: events are kept for so many days, lest they eat the disk."""

import time
from collections.abc import Callable
from datetime import datetime

from tenants.models.event import Event

BATCH = 2000
AT_ONCE = 30.0  # seconds: other tasks want their turn


def prune_events(
    older_than: datetime, *, batch: int = BATCH, seconds: float = AT_ONCE, steady: Callable[[], float] = time.monotonic
) -> tuple[int, bool]:
    """Delete events from before `older_than`, a batch at a time, for about so many seconds.

    How many there were, and whether that was all of them.
    """
    ends, deleted = steady() + seconds, 0
    while True:
        # Each batch is a statement and a transaction of its own: nobody waits for a long one.
        oldest = Event.objects.filter(at__lt=older_than).order_by("at").values("pk")[:batch]
        count = Event.objects.filter(pk__in=oldest).delete()[0]
        deleted += count
        if count < batch:
            return deleted, True
        if steady() >= ends:
            return deleted, False
