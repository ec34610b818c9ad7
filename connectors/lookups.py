"""Names looked up beside the thread that needs them: the C library's look-up can't be given a time-out."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

from connectors.addresses import Address

KNOWN_FOR = 60.0  # seconds
MAX_KNOWN = 4096

Place = tuple[str, int]
Resolve = Callable[[str, int], Sequence[Address]]


class _Known(NamedTuple):
    addresses: tuple[Address, ...]
    until: float


class Lookups:
    """The addresses of hosts. One thread asks; threads of its own do the looking up, and may be left behind."""

    def __init__(self, resolve: Resolve, *, clock: Callable[[], float] = monotonic) -> None:
        self._resolve = resolve
        self._clock = clock
        self._known: dict[Place, _Known] = {}
        self._pending: set[Place] = set()
        self._found: deque[tuple[Place, tuple[Address, ...]]] = deque()

    @property
    def is_pending(self) -> bool:
        return bool(self._pending)

    def addresses(self, host: str, port: int) -> Sequence[Address] | None:
        """Those that are known; None if they aren't yet, and are being looked up."""
        place = (host, port)
        known = self._known.get(place)
        if known is not None and known.until > self._clock():
            return known.addresses
        if place not in self._pending:
            self._pending.add(place)
            threading.Thread(target=self._look_up, args=(place,), daemon=True, name="look-up").start()
        return None

    def taken(self) -> dict[Place, Sequence[Address]]:
        """What was found since the last time; no addresses where there are none."""
        found: dict[Place, Sequence[Address]] = {}
        while self._found:
            place, addresses = self._found.popleft()
            self._pending.discard(place)
            found[place] = addresses
            if addresses:  # a name that isn't known is asked for again
                self._known[place] = _Known(addresses, self._clock() + KNOWN_FOR)
        while len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
        return found

    def _look_up(self, place: Place) -> None:
        try:
            addresses = tuple(self._resolve(*place))
        except (OSError, ValueError):  # UnicodeError, for labels that the resolver can't take, is a ValueError
            addresses = ()
        self._found.append((place, addresses))
