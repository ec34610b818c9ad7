"""What `manage.py up` and its children say, written where somebody may read it, or may not."""

import os
import queue
import select
import threading
import time
from contextlib import suppress

HELD = 1000  # lines that wait for a reader
LAST_WORDS = 2.0  # seconds that the end waits for them to be written


class Voice:
    """Writes whole lines from several threads, and holds up none of them.

    Whoever reads may have stopped (Ctrl-S, a pager): what doesn't fit is counted and left out. Or they are gone: then
    nothing is written any more.
    """

    def __init__(self, descriptor: int, *, encoding: str = "utf-8", errors: str = "replace") -> None:
        self._descriptor, self._encoding, self._errors = descriptor, encoding, errors
        self._lines: queue.Queue[str] = queue.Queue(HELD)
        self._left_out = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._write_all, name="voice", daemon=True).start()

    def __call__(self, line: str) -> None:
        with self._lock:
            try:
                self._lines.put_nowait(line)
            except queue.Full:
                self._left_out += 1

    def finish(self) -> None:
        """Wait, not for ever, until all of it is written."""
        deadline = time.monotonic() + LAST_WORDS
        while self._lines.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)

    def _write_all(self) -> None:
        with suppress(OSError):
            while True:
                self._write(self._lines.get())
                if self._lines.empty() and (left_out := self._take_left_out()):
                    self._write(f"{left_out} lines are left out here: they were not read in time.")
                self._lines.task_done()
        # Its SIGHUP, not a broken pipe, is what stops us.
        while True:
            self._lines.task_done()
            self._lines.get()

    def _take_left_out(self) -> int:
        with self._lock:
            left_out, self._left_out = self._left_out, 0
        return left_out

    def _write(self, line: str) -> None:
        rest = f"{line}\n".encode(self._encoding, self._errors)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # a terminal that another program has set so
                select.select((), (self._descriptor,), ())
