"""Threads that wait for providers, kept from one batch to the next: starting them costs as much as a request."""

import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Event
from typing import Generic, TypeVar

Result = TypeVar("Result")

FIRST = 2  # threads: they keep a processor busy where providers answer at once
PATIENCE = 0.02  # seconds until more of them are called in, for providers that take their time


@lru_cache(maxsize=4)
def pool_of(threads: int) -> ThreadPoolExecutor:
    """This process's pool of so many threads. None of them uses the database."""
    return ThreadPoolExecutor(max_workers=threads, thread_name_prefix="renew")


# A forked child has none of its parent's threads.
os.register_at_fork(after_in_child=pool_of.cache_clear)


class Crew(Generic[Result]):
    """Threads that work off jobs: few while these go quickly, twice as many whenever they don't, up to `most`.

    Threads that run at the same time take turns with the interpreter, and each turn costs; what takes no time needs no
    other thread. A job must not raise. One thread, always the same, gives the jobs and takes their results.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool = pool_of(most)
        self._jobs: deque[Callable[[], Result]] = deque()
        self._done: deque[Result] = deque()
        self._ended: list[None] = []
        self._started = 0
        self._due = 0  # results that are still to be taken
        self._complete = Event()

    @property
    def due(self) -> int:
        """How many results are still to come."""
        return self._due

    def give(self, job: Callable[[], Result]) -> None:
        """Have it done; nothing begins before `results` is asked for."""
        self._jobs.append(job)
        self._due += 1

    def results(self, within: float) -> list[Result]:
        """All that is still to come, or what came within so many seconds."""
        ends = time.monotonic() + within
        self._call_in(FIRST)
        while True:
            # Cleared before it is looked at: what comes in between sets it again.
            self._complete.clear()
            left = ends - time.monotonic()
            if len(self._done) >= self._due or left <= 0:
                break
            if not self._complete.wait(min(PATIENCE, left) if self._jobs else left):
                self._call_in(max(FIRST, 2 * self._at_work))
        results = [self._done.popleft() for _ in range(len(self._done))]
        self._due -= len(results)
        return results

    @property
    def _at_work(self) -> int:
        return self._started - len(self._ended)

    def _call_in(self, wanted: int) -> None:
        """Have so many at work, if there is as much to do."""
        for _ in range(min(wanted, self._most, self._at_work + len(self._jobs)) - self._at_work):
            self._started += 1
            self._pool.submit(self._work)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.popleft()
            except IndexError:
                break
            self._done.append(job())
            if len(self._done) >= self._due:
                self._complete.set()
        self._ended.append(None)
