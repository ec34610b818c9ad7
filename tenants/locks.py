"""Within one process, one thread at a time works on an instance; the others wait for its result."""

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


@contextmanager
def one_at_a_time(key: UUID) -> Iterator[None]:
    with _REGISTRY:
        lock = _LOCKS.get(key) or _Lock()
        _LOCKS[key] = lock
    with lock.lock:
        yield
