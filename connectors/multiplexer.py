"""Many exchanges side by side, in one thread, by libcurl: under the guard of `transport`, and in its words.

libcurl takes a fifth of the time that an exchange in Python takes, and no threads, which cost as much again by taking
turns. It looks up no name and follows no redirect: it is told the checked addresses, gets its sockets here, and each
request is checked once more before it goes out. Source: the manual pages of libcurl's options.
"""

import os
import select
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from time import monotonic
from typing import Any

from connectors import tls
from connectors.addresses import Address, permitted, refuse_open
from connectors.curl import curl
from connectors.curl_failures import meaning
from connectors.deadline import Deadline
from connectors.exchange import MAX_BODY, AnswerBroken, UnsendableRequest, fields_of, unfolded, unpacked
from connectors.failures import explained, unknown
from connectors.lookups import KNOWN_FOR, MAX_KNOWN, Lookups, Place, Resolve
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.http import Headers, HttpRequest, HttpResponse
from connectors.targets import Target, target_of
from connectors.transport import Outbound, resolve

Answer = HttpResponse | LatchkeyError

MOST = 64  # at the same time; each takes a connection
_NAP = 0.1  # seconds at most: libcurl waits for no socket beyond the 1,024th, so it is asked now and then
_NAP_WHILE_LOOKING_UP = 0.005

# As in `pool`: many servers close after 60 or 75 seconds, and racing them costs requests.
_MAX_IDLE, _MAX_AGE = 20, 300
_MAX_KEPT = 256  # connections


class _Way:
    """Where a target is reached: addresses that the guard lets through, for as long as they are relied on."""

    __slots__ = ("addresses", "texts", "until")

    def __init__(self, addresses: Sequence[Address], until: float) -> None:
        self.addresses = addresses
        self.texts = {str(address) for address in addresses}
        self.until = until


class _Call:
    """A request on its way."""

    __slots__ = ("limit", "refusal", "request", "sent", "tag", "target", "way")

    def __init__(self, tag: Any, request: HttpRequest, target: Target, limit: Deadline) -> None:
        self.tag = tag
        self.request = request
        self.target = target
        self.limit = limit
        self.way = _Way((), 0.0)
        self.sent = False
        self.refusal: LatchkeyError | None = None

    @property
    def is_repeatable(self) -> bool:
        return self.request.method in ("GET", "HEAD")

    @property
    def may_go_out(self) -> bool:
        """What a kept connection had no answer to libcurl would send again on another, though it may have arrived."""
        return not self.sent or self.is_repeatable

    @property
    def is_usual(self) -> bool:
        return self.request.method == "POST" and self.request.body is not None


class _Line:
    """A handle of libcurl's, which carries one call after another."""

    __slots__ = ("body", "call", "handle", "head", "is_stale", "opened", "outbound", "sockets")

    def __init__(self, outbound: Outbound, sockets: dict[int, int]) -> None:
        self.handle = curl.Curl()
        self.outbound = outbound
        self.sockets = sockets  # file descriptors of open connections, by their local port
        self.call: _Call = _NOBODY
        self.opened: list[int] = []
        self.head: list[bytes] = []
        self.body: list[bytes] = []
        self.is_stale = False
        self.handle.setopt(curl.HEADERFUNCTION, self.head.append)
        self.handle.setopt(curl.WRITEFUNCTION, self.body.append)
        self.handle.setopt(curl.OPENSOCKETFUNCTION, self.open)
        self.handle.setopt(curl.PREREQFUNCTION, self.before_sending)

    def open(self, purpose: int, address: tuple[int, int, int, tuple[Any, ...]]) -> int:
        """A socket, if the address may be reached (CURLOPT_OPENSOCKETFUNCTION)."""
        family, kind, protocol, place = address
        if not self.call.may_go_out or not self._may_reach(place[0]):
            bad: int = curl.SOCKET_BAD
            return bad
        self.opened.append(socket.socket(family, kind, protocol).detach())
        return self.opened[-1]

    def before_sending(self, address: str, local: str, port: int, local_port: int) -> int:
        """Whether the request may go out on this connection, perhaps a kept one (CURLOPT_PREREQFUNCTION).

        libcurl itself looks but once a second whether kept connections are still open.
        """
        fine: int = curl.PREREQFUNC_OK
        stop: int = curl.PREREQFUNC_ABORT
        if not self.call.may_go_out or not self._may_reach(address):
            return stop
        if self.opened:
            self.sockets.update((port, fd) for fd in self.opened if (port := _local_port(fd)))
            self.opened.clear()
        elif _has_something_to_say(self.sockets.get(local_port, -1)):
            self.is_stale = True
            return stop
        self.call.sent = True
        return fine

    def _may_reach(self, address: str) -> bool:
        if address in self.call.way.texts:
            return True
        reached = ip_address(address.partition("%")[0])
        if reached in self.call.way.addresses:
            return True
        try:
            _checked(self.call.target, [reached], self.outbound)  # where the name led some time ago
        except LatchkeyError as error:
            self.call.refusal = error
        return self.call.refusal is None

    def take(self, call: _Call, *, is_fresh: bool) -> None:
        """Describe the call to libcurl. Raises `UnsendableRequest`, TimeoutError."""
        fields, seconds = fields_of(call.request), call.limit.remaining()
        self.call = call
        self.is_stale = False
        request, target, handle = call.request, call.target, self.handle
        handle.setopt(curl.URL, f"{target.scheme}://{target.authority}{target.path}")
        # An empty field needs ";": behind ":" it would mean that libcurl's own is not to be sent.
        lines = [(f"{name}: {value}" if value else f"{name};").encode() for name, value in fields]
        lines += [*_unwanted("Accept", request), *_unwanted("User-Agent", request)]
        if request.body is not None or not call.is_repeatable:
            handle.setopt(curl.POSTFIELDS, request.body or b"")
            lines += [b"Expect:", *_unwanted("Content-Type", request)]
        elif request.method == "HEAD":
            handle.setopt(curl.NOBODY, 1)
        if request.method != "POST":
            handle.setopt(curl.CUSTOMREQUEST, request.method)
        handle.setopt(curl.HTTPHEADER, lines)
        handle.setopt(curl.FRESH_CONNECT, is_fresh)
        handle.setopt(curl.TIMEOUT_MS, max(1, round(seconds * 1000)))
        if target.host not in call.way.texts:
            listed = ",".join(f"[{one}]" if one.version == 6 else str(one) for one in call.way.addresses)
            handle.setopt(curl.RESOLVE, [f"+{target.host}:{target.port}:{listed}"])

    def answer(self, max_body: int) -> Answer:
        """What came."""
        status: int = self.handle.getinfo(curl.RESPONSE_CODE)
        try:
            if status == 101:
                raise AnswerBroken("It switches to a protocol that nobody asked for.", status=status)
            headers = _headers(self.head)
            return HttpResponse(status, headers, unpacked(b"".join(self.body), headers, status, max_body))
        except AnswerBroken as error:
            return explained(error, self.call.target, self.call.limit)

    def trouble(self, code: int, message: str) -> LatchkeyError:
        """What a transfer that failed came to."""
        return self.call.refusal or meaning(
            code,
            message,
            self.call.target,
            self.call.limit,
            sent=self.call.sent,
            began=bool(self.head),
            status=self.handle.getinfo(curl.RESPONSE_CODE),
            trust=self.handle.getinfo(curl.SSL_VERIFYRESULT),
            system=self.handle.getinfo(curl.OS_ERRNO),
        )

    def leave(self) -> None:
        """Be done with the call."""
        self.call = _NOBODY
        self.head.clear()
        self.body.clear()
        self.opened.clear()

    def forget(self) -> None:
        """Let go of what the last request said."""
        self.handle.setopt(curl.URL, "")
        self.handle.setopt(curl.POSTFIELDS, b"")
        self.handle.setopt(curl.HTTPHEADER, [])


_NOBODY = _Call(None, HttpRequest("GET", ""), Target("https", "", 443, "/"), Deadline(0))


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
        self._ways: dict[tuple[str, str, int], _Way] = {}
        self._parked: dict[Place, list[_Call]] = defaultdict(list)  # until their host's addresses are known
        self._lines: dict[Any, _Line] = {}  # those with a call, by libcurl's handle
        self._idle: list[_Line] = []
        self._sockets: dict[int, int] = {}
        self._ended: list[tuple[Any, Answer]] = []

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
            target = target_of(request.url)
            if target.scheme == "http":
                refuse_open(target.host, target.port, self.outbound.allowed)
        except LatchkeyError as error:
            self._ended.append((tag, error))
            return
        call = _Call(tag, request, target, limit)
        way = self._ways.get((target.scheme, target.host, target.port))
        if way is not None and way.until > monotonic():
            call.way = way
            self._begin(call)
        elif (addresses := self._addresses(target)) is None:
            self._parked[target.host, target.port].append(call)
        else:
            self._reach(call, addresses)

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
        self._lines.clear()
        self._parked.clear()
        self._ended.clear()

    def _addresses(self, target: Target) -> Sequence[Address] | None:
        try:
            return (ip_address(target.host),)
        except ValueError:
            return self._lookups.addresses(target.host, target.port)

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

    def _reach(self, call: _Call, addresses: Sequence[Address]) -> None:
        target = call.target
        try:
            if not addresses:
                raise unknown(target.host)
            call.way = _Way(_checked(target, addresses, self.outbound), monotonic() + KNOWN_FOR)
        except LatchkeyError as error:
            self._ended.append((call.tag, error))
            return
        if len(self._ways) > MAX_KNOWN:
            self._ways.clear()
        self._ways[target.scheme, target.host, target.port] = call.way
        self._begin(call)

    def _begin(self, call: _Call, *, is_fresh: bool = False) -> None:
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

    def _new_line(self) -> _Line:
        line = _Line(self.outbound, self._sockets)
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
                handle.setopt(option, path)
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

    def _end(self, line: _Line, code: int, message: str) -> None:
        self._multi.remove_handle(line.handle)
        call, is_stale = line.call, line.is_stale
        answer = line.answer(self._max_body) if code == 0 else line.trouble(code, message)
        self._leave(line, is_usual=call.is_usual)
        if is_stale:  # nothing was sent
            self._begin(call, is_fresh=True)
        else:
            self._ended.append((call.tag, answer))

    def _leave(self, line: _Line, *, is_usual: bool) -> None:
        line.leave()
        if is_usual:
            self._idle.append(line)
        else:
            line.handle.close()  # what was set for it is not for others

    def _wait(self, seconds: float) -> None:
        own = self._multi.timeout()  # milliseconds until libcurl has something to do by itself; below 0: nothing
        most = _NAP_WHILE_LOOKING_UP if self._parked else _NAP
        self._multi.select(max(0.0, min(seconds, most, own / 1000 if own >= 0 else most)))


def _checked(target: Target, addresses: Sequence[Address], outbound: Outbound) -> Sequence[Address]:
    """Those that the guard lets through. Raises `AddressRefused` if it lets none."""
    is_encrypted = target.scheme == "https"
    return permitted(target.host, target.port, addresses, outbound.allowed, encrypted=is_encrypted)


def _unwanted(name: str, request: HttpRequest) -> list[bytes]:
    """What keeps libcurl from sending a field that the request does not have."""
    return [] if name in request.headers else [f"{name}:".encode()]


def _headers(lines: Sequence[bytes]) -> Headers:
    """The fields of the answer itself: before it there may be interim answers, behind its body more fields."""
    fields: list[tuple[str, str]] = []
    is_open = False
    for line in lines:
        if line.startswith(b"HTTP/"):
            fields, is_open = [], True
        elif not line.strip():
            is_open = False
        elif is_open:
            name, _, value = line.decode("latin-1").partition(":")
            fields.append((name.rstrip(), unfolded(value)))
    return Headers(tuple(fields))


def _local_port(fd: int) -> int:
    """0 where it has none: of several addresses the first to answer was taken, and the others' sockets closed."""
    try:
        with socket.socket(fileno=fd) as one:
            port: int = one.getsockname()[1]
            one.detach()
    except OSError:
        return 0
    return port


def _has_something_to_say(fd: int) -> bool:
    """Whether the other side has closed it, or sent what nobody asked for."""
    if fd < 0:
        return False
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


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
    if outbound not in _own.made:
        _own.made = {outbound: Multiplexer(outbound)}  # rules hardly ever change
    made = _own.made[outbound]
    try:
        yield made
    finally:
        made.drop()
