"""Many exchanges side by side, in one thread, by libcurl: under the guard of `transport`, and in its words.

libcurl takes a fifth of the time that an exchange in Python takes, and no threads, which cost as much again by taking
turns. It looks up no name and follows no redirect: it is told the checked addresses, gets its sockets here, and each
request is checked once more before it goes out. Source: the manual pages of libcurl's options.
"""

import os
import select
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from time import monotonic
from typing import Any

from connectors import tls
from connectors.addresses import Address, refuse_open
from connectors.curl import curl
from connectors.curl_line import Answer, Call, Line, Way, checked
from connectors.deadline import Deadline
from connectors.exchange import MAX_BODY, UnsendableRequest
from connectors.failures import explained, unknown
from connectors.lookups import Lookups, Place, Resolve
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.http import HttpRequest
from connectors.targets import Targets
from connectors.transport import Outbound, resolve

MOST = 64  # at the same time; each takes a connection
_NAP = 0.1  # seconds at most: libcurl waits for no socket beyond the 1,024th, so it is asked now and then
_NAP_WHILE_LOOKING_UP = 0.005

# As in `pool`: many servers close after 60 or 75 seconds, and racing them costs requests.
_MAX_IDLE, _MAX_AGE = 20, 300
_MAX_KEPT = 256  # connections

# What was looked up and checked is relied on for so many seconds, of so many hosts.
KNOWN_FOR = 60.0
MAX_KNOWN = 4096


class Multiplexer:
    """Exchanges side by side: one thread gives the requests and takes the answers.

    `outbound` holds for all of them. A request other than GET or HEAD is never sent twice. Client certificates are
    `transport`'s alone: where a server turns one down, libcurl may miss what it says.
    """

    def __init__(self, outbound: Outbound, *, resolve: Resolve = resolve, max_body: int = MAX_BODY) -> None:
        self.outbound = outbound
        self._max_body = max_body
        self._bundle = tls.bundle(outbound.ca_file)
        self._lookups = Lookups(resolve)
        self._multi = curl.CurlMulti()
        self._multi.setopt(curl.M_MAXCONNECTS, _MAX_KEPT)
        self._targets = Targets()  # of what is under way: an address may hold a secret
        self._ways: dict[tuple[str, str, int], Way] = {}
        self._parked: dict[Place, list[Call]] = defaultdict(list)  # until their host's addresses are known
        self._lines: dict[Any, Line] = {}  # those with a call, by libcurl's handle
        self._idle: list[Line] = []
        self._sockets: dict[int, select.poll] = {}
        self._ended: list[tuple[Any, Answer]] = []

    @property
    def knows_authorities(self) -> bool:
        """Whether the file with them is still there."""
        return not self._bundle.file or os.path.exists(self._bundle.file)

    @property
    def room(self) -> int:
        """How many more may well be given now."""
        return MOST - self.under_way

    @property
    def under_way(self) -> int:
        """How many answers are still to be taken."""
        parked = sum(map(len, self._parked.values())) if self._parked else 0
        return len(self._lines) + len(self._ended) + parked

    def give(self, tag: Any, request: HttpRequest, *, deadline: float | None = None) -> None:
        """Begin an exchange; what comes of it comes with `tag`. `deadline` is that of `transport.send`."""
        if request.certificate is not None:
            raise ValueError("This request presents a certificate: it is for transport.send.")
        limit = Deadline(self.outbound.timeout if deadline is None else deadline, spent=request.spent)
        try:
            target = self._targets.of(request.url)
            if target.scheme == "http":
                refuse_open(target.host, target.port, self.outbound.allowed)
        except LatchkeyError as error:
            self._ended.append((tag, error))
            return
        call = Call(tag, request, target, limit)
        way = self._ways.get((target.scheme, target.host, target.port))
        if way is not None and way.until > monotonic():
            call.way = way
            self._begin(call)
        elif (address := _literal(target.host)) is not None:
            self._reach(call, [address])
        else:
            self._parked[target.host, target.port].append(call)
            self._lookups.begin((target.host, target.port))

    def answers(self, within: float) -> list[tuple[Any, Answer]]:
        """Those that are there, or as soon as there is one; none after so many seconds.

        Each is an answer, whatever its status, or the error that `transport.send` would raise.
        """
        ends = monotonic() + within
        while True:
            if self._parked:
                self._unpark()
            self._multi.perform()
            self._collect()
            if self._ended or not (self._lines or self._parked):
                break
            left = ends - monotonic()
            if left <= 0:
                break
            self._wait(left)
        answers, self._ended = self._ended, []
        return answers

    def drop(self) -> None:
        """Give up what is under way: nobody waits for it any more. Nothing of earlier requests is kept either."""
        for line in self._lines.values():
            self._multi.remove_handle(line.handle)
            line.handle.close()
        for line in self._idle:
            line.forget()
        self._targets.forget()
        self._lines.clear()
        self._parked.clear()
        self._ended.clear()

    def _unpark(self) -> None:
        for place, addresses in self._lookups.taken().items():
            for call in self._parked.pop(place, ()):
                self._reach(call, addresses)
        for place, calls in list(self._parked.items()):
            for call in [call for call in calls if call.limit.is_over]:
                calls.remove(call)
                self._ended.append((call.tag, explained(TimeoutError(), call.target, call.limit)))
            if not calls:
                del self._parked[place]

    def _reach(self, call: Call, addresses: Sequence[Address]) -> None:
        target = call.target
        try:
            if not addresses:
                raise unknown(target.host)
            call.way = Way(checked(target, addresses, self.outbound), monotonic() + KNOWN_FOR)
        except LatchkeyError as error:
            self._ended.append((call.tag, error))
            return
        if len(self._ways) > MAX_KNOWN:
            self._ways.clear()
        self._ways[target.scheme, target.host, target.port] = call.way
        self._begin(call)

    def _begin(self, call: Call, *, is_fresh: bool = False) -> None:
        # A kept line knows the body that it sent last: only what brings one of its own may have it.
        line = self._idle.pop() if self._idle and call.is_usual else self._new_line()
        try:
            line.take(call, is_fresh=is_fresh)
        except (UnsendableRequest, TimeoutError) as error:
            self._ended.append((call.tag, explained(error, call.target, call.limit)))
            self._leave(line, is_usual=False)
            return
        self._multi.add_handle(line.handle)
        self._lines[line.handle] = line

    def _new_line(self) -> Line:
        line = Line(self.outbound, self._sockets)
        handle = line.handle
        handle.setopt(curl.NOSIGNAL, 1)
        handle.setopt(curl.PROXY, "")
        handle.setopt(curl.PROTOCOLS, curl.PROTO_HTTP | curl.PROTO_HTTPS)
        handle.setopt(curl.HTTP_VERSION, curl.CURL_HTTP_VERSION_1_1)
        handle.setopt(curl.PATH_AS_IS, 1)
        handle.setopt(curl.MAXFILESIZE, self._max_body)
        handle.setopt(curl.MAXAGE_CONN, _MAX_IDLE)
        handle.setopt(curl.MAXLIFETIME_CONN, _MAX_AGE)
        handle.setopt(curl.SSLVERSION, curl.SSLVERSION_TLSv1_2)
        for option, path in ((curl.CAINFO, self._bundle.file), (curl.CAPATH, self._bundle.folder)):
            if path:
                handle.setopt(option, os.fsencode(path))  # of text it takes ASCII alone
            else:
                handle.unsetopt(option)
        return line

    def _collect(self) -> None:
        while True:
            more, fine, failed = self._multi.info_read()
            for handle in fine:
                self._end(self._lines.pop(handle), 0, "")
            for handle, code, message in failed:
                self._end(self._lines.pop(handle), code, message)
            if not more:
                break

    def _end(self, line: Line, code: int, message: str) -> None:
        self._multi.remove_handle(line.handle)
        call, is_stale = line.call, line.is_stale
        answer = line.answer(self._max_body) if code == 0 else line.trouble(code, message)
        self._leave(line, is_usual=call.is_usual)
        if is_stale:  # nothing was sent
            self._begin(call, is_fresh=True)
        else:
            self._ended.append((call.tag, answer))

    def _leave(self, line: Line, *, is_usual: bool) -> None:
        line.leave()
        if is_usual:
            self._idle.append(line)
        else:
            line.handle.close()  # what was set for it is not for others

    def _wait(self, seconds: float) -> None:
        own = self._multi.timeout()  # milliseconds until libcurl has something to do by itself; below 0: nothing
        most = _NAP_WHILE_LOOKING_UP if self._parked else _NAP
        self._multi.select(max(0.0, min(seconds, most, own / 1000 if own >= 0 else most)))


def _literal(host: str) -> Address | None:
    """The address that `host` is; None if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


class _Own(threading.local):
    """A thread's multiplexers: what libcurl keeps is for one thread, and one process."""

    def __init__(self) -> None:
        self.made: dict[Outbound, Multiplexer] = {}
        self.process = os.getpid()


_own = _Own()
# A forked child's copies are neither used nor freed: TLS farewells on its parent's sockets would end those.
_inherited: list[Multiplexer] = []


@contextmanager
def multiplexer(outbound: Outbound | None = None) -> Iterator[Multiplexer]:
    """This thread's, with the connections that it has kept. What is under way at the end is given up."""
    outbound = outbound or Outbound.from_settings()
    if _own.process != os.getpid():
        _inherited.extend(_own.made.values())
        _own.made, _own.process = {}, os.getpid()
    if outbound not in _own.made or not _own.made[outbound].knows_authorities:
        tls.bundle.cache_clear()
        _own.made = {outbound: Multiplexer(outbound)}  # rules hardly ever change
    made = _own.made[outbound]
    try:
        yield made
    finally:
        made.drop()
