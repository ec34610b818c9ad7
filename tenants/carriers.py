"""Who carries the requests of many conversations at once: libcurl, side by side in this thread, or threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from connectors import transport
from connectors.multiplexer import MOST, Multiplexer, multiplexer
from connectors.oauth2.conversation import Send
from connectors.oauth2.http import HttpRequest, HttpResponse
from tenants.threads import Crew

__all__ = ["MOST", "Answer", "Carrier", "carrier"]

Answer = HttpResponse | Exception

_TURN = 0.05  # seconds for which one is waited for before the other is looked at


class Carrier(Protocol):
    """One thread, always the same, gives the requests and takes the answers."""

    @property
    def room(self) -> int:
        """How many more requests may well be given now."""
        ...

    @property
    def under_way(self) -> int:
        """How many answers are still to be taken."""
        ...

    def give(self, tag: Any, request: HttpRequest) -> None:
        """Have it carried; what comes of it comes with `tag`."""
        ...

    def answers(self, within: float) -> list[tuple[Any, Answer]]:
        """What is there, or comes within so many seconds; it may be nothing."""
        ...


@contextmanager
def carrier(send: Send | None = None, *, at_once: int = MOST) -> Iterator[Carrier]:
    """One for up to so many requests at a time; `send` is called in threads. None: by libcurl wherever that will do."""
    if send is not None:
        yield _Threads(send, at_once)
        return
    with multiplexer() as side_by_side:
        yield _Mixed(side_by_side, _Threads(transport.send, at_once), at_once)


class _Threads:
    def __init__(self, send: Send, most: int) -> None:
        self._send = send
        self._most = most
        self._crew: Crew[tuple[Any, Answer]] = Crew(most)

    @property
    def room(self) -> int:
        return self._most - self.under_way

    @property
    def under_way(self) -> int:
        return self._crew.due

    def give(self, tag: Any, request: HttpRequest) -> None:
        self._crew.give(partial(_carried, self._send, tag, request))

    def answers(self, within: float) -> list[tuple[Any, Answer]]:
        return self._crew.results(within)


def _carried(send: Send, tag: Any, request: HttpRequest) -> tuple[Any, Answer]:
    try:
        return tag, send(request)
    except Exception as error:  # a job may not raise; who waits for the answer deals with it
        return tag, error


class _Mixed:
    """libcurl for all but requests with a client certificate: these are for threads."""

    def __init__(self, side_by_side: Multiplexer, threads: Carrier, most: int) -> None:
        self._side_by_side = side_by_side
        self._threads = threads
        self._most = most

    @property
    def room(self) -> int:
        return min(self._side_by_side.room, self._most - self.under_way)

    @property
    def under_way(self) -> int:
        return self._side_by_side.under_way + self._threads.under_way

    def give(self, tag: Any, request: HttpRequest) -> None:
        (self._side_by_side if request.certificate is None else self._threads).give(tag, request)

    def answers(self, within: float) -> list[tuple[Any, Answer]]:
        if not self._threads.under_way:
            return [*self._side_by_side.answers(within)]
        within = min(within, _TURN)
        if not self._side_by_side.under_way:
            return self._threads.answers(within)
        return [*self._side_by_side.answers(within), *self._threads.answers(0)]
