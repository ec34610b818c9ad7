"""Connections that are kept open between exchanges, for the threads of one process."""

import os
import threading
import weakref
from collections.abc import Callable, Hashable
from time import monotonic

from connectors.exchange import Connection

MAX_IDLE = 20.0  # seconds; many servers close after 60 or 75, and racing them costs requests
MAX_AGE = 300.0  # seconds; after that the name is looked up anew
MAX_PER_KEY = 50  # as many threads renew at the same time
MAX_KEYS = 512


class Pool:
    """Idle connections by what they may be used for; the key says all of that (host, port, rules, TLS)."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: dict[Hashable, list[Connection]] = {}
        # Two processes that write to one socket would read each other's tokens. The lock may have been held
        # by a thread that the child doesn't have.
        me = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forget(me))

    def take(self, key: Hashable) -> Connection | None:
        """A live connection for `key`, the one used last first; None if there is none."""
        while True:
            with self._lock:
                idle = self._idle.get(key)
                connection = idle.pop() if idle else None
                if not idle:
                    self._idle.pop(key, None)
            if connection is None:
                return None
            if not self._is_old(connection) and not connection.is_stale():
                connection.used = True
                return connection
            connection.close()

    def put(self, key: Hashable, connection: Connection) -> None:
        connection.idle_since = self._clock()
        with self._lock:
            idle = self._idle.setdefault(key, [])
            idle.append(connection)
            dropped = [idle.pop(0)] if len(idle) > MAX_PER_KEY else []
            if len(self._idle) > MAX_KEYS:
                dropped += self._idle.pop(next(iter(self._idle)))
        for old in dropped:
            old.close()

    def clear(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def _is_old(self, connection: Connection) -> bool:
        now = self._clock()
        return now - connection.idle_since > MAX_IDLE or now - connection.opened > MAX_AGE

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self.clear()  # closes the child's copies alone: no TLS farewell is sent


def _forget(pool: "weakref.ref[Pool]") -> None:
    alive = pool()
    if alive is not None:
        alive._after_fork()
