"""Names looked up beside the thread that needs them: the C library's look-up can't be given a time-out."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from connectors.addresses import Address

Place = tuple[str, int]
Resolve = Callable[[str, int], Sequence[Address]]


class Lookups:
    """The addresses of hosts. One thread asks; threads of its own do the looking up, and may be left behind."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._pending: set[Place] = set()
        self._found: deque[tuple[Place, tuple[Address, ...]]] = deque()

    def begin(self, place: Place) -> None:
        """Have a host looked up, if that isn't going on already."""
        if place not in self._pending:
            self._pending.add(place)
            threading.Thread(target=self._look_up, args=(place,), daemon=True, name="look-up").start()

    def taken(self) -> dict[Place, Sequence[Address]]:
        """What was found since the last time; no addresses where there are none."""
        found: dict[Place, Sequence[Address]] = {}
        while self._found:
            place, addresses = self._found.popleft()
            self._pending.discard(place)
            found[place] = addresses
        return found

    def _look_up(self, place: Place) -> None:
        try:
            addresses = tuple(self._resolve(*place))
        except (OSError, ValueError):  # UnicodeError, for labels that the resolver can't take, is a ValueError
            addresses = ()
        self._found.append((place, addresses))
