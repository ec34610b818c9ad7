"""Within one process, one thread at a time works on an instance; the others wait for its result."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID
from weakref import WeakValueDictionary


class _Lock:
    """A lock that a weak dictionary can hold: it is gone with the last thread that wants it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


_LOCKS: WeakValueDictionary[UUID, _Lock] = WeakValueDictionary()
_REGISTRY = threading.Lock()


def _forget() -> None:
    """A forked child has none of its parent's threads, so nobody would ever open the locks that they hold."""
    global _LOCKS, _REGISTRY
    _LOCKS, _REGISTRY = WeakValueDictionary(), threading.Lock()


os.register_at_fork(after_in_child=_forget)


@contextmanager
def one_at_a_time(key: UUID) -> Iterator[None]:
    with _REGISTRY:
        lock = _LOCKS.get(key) or _Lock()
        _LOCKS[key] = lock
    with lock.lock:
        yield
