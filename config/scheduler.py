"""The scheduler's notes of what it sent when, which neither a spoilt file nor a clock that jumps can stop.

Celery keeps them in a shelf of pickles: a half-written one ends the scheduler at every start. And it waits for the time
of day: a clock that is set back by an hour stops all renewals for as long.
"""

import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celery import beat

logger = logging.getLogger(__name__)

FOLLOW = "follow-clock"  # what is sent as soon as the clock was set back, and at the start, as it may have been
SET_BACK = 1.0  # seconds: by less clocks are put right every day


class Scheduler(beat.Scheduler):
    """`wall` tells the time of day in seconds, `steady` counts seconds and never jumps."""

    def __init__(
        self,
        *args: Any,
        schedule_filename: str,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        **kwargs: Any,
    ) -> None:
        self._file = Path(schedule_filename)
        self._wall, self._steady = wall, steady
        self._apart = wall() - steady()
        self._is_unwritable = False
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        super().setup_schedule()
        for name, at in _read(self._file).items():
            if entry := self.schedule.get(name):
                # What the notes call the future was written by a clock that has been put right since.
                entry.last_run_at = min(at, entry.default_now())
        self._let_follow()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        self._follow_the_clock()
        return super().tick(*args, **kwargs)

    def apply_entry(self, entry: beat.ScheduleEntry, producer: Any = None) -> None:
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:  # whatever becomes of one message, the next is sent
            logger.error("%s. It is sent again when it is due next.", str(error).rstrip("."))

    def sync(self) -> None:
        draft = self._file.with_suffix(".new")
        sent = {name: entry.last_run_at.timestamp() for name, entry in self.schedule.items() if entry.last_run_at}
        try:
            draft.write_text(json.dumps(sent))
            draft.replace(self._file)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            if not self._is_unwritable:
                logger.warning(
                    "What was sent when can't be noted in %s: %s. Until it can be, a restart starts anew to count the "
                    "hours between two clean-ups; renewals don't suffer.",
                    self._file,
                    error.strerror,
                )
            self._is_unwritable = True
        else:
            self._is_unwritable = False

    def _follow_the_clock(self) -> None:
        before, self._apart = self._apart, self._wall() - self._steady()
        set_back = before - self._apart
        if set_back > SET_BACK:
            logger.warning("The clock was set back by %.0f seconds. What is due stays so.", set_back)
            for entry in self.schedule.values():
                entry.last_run_at = (entry.last_run_at or entry.default_now()) - timedelta(seconds=set_back)
            self._let_follow()
            self._heap = None  # it holds times of day too

    def _let_follow(self) -> None:
        if entry := self.schedule.get(FOLLOW):
            entry.last_run_at = datetime.fromtimestamp(0, UTC)


def _read(file: Path) -> dict[str, datetime]:
    """When what was sent last. Notes that are gone, spoilt, or Celery's own, say nothing."""
    try:
        held = json.loads(file.read_bytes())
        return {str(name): datetime.fromtimestamp(at, UTC) for name, at in held.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}
