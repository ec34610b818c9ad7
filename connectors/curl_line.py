"""One call after another over a handle of libcurl's: what it is told, what it may do, and what came of it."""

import select
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from connectors.addresses import Address, permitted
from connectors.curl import curl
from connectors.curl_failures import meaning
from connectors.deadline import Deadline
from connectors.exchange import AnswerBroken, fields_of, unfolded, unpacked
from connectors.failures import explained
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.http import Headers, HttpRequest, HttpResponse
from connectors.targets import Target
from connectors.transport import Outbound

Answer = HttpResponse | LatchkeyError

# What libcurl sends by itself, unless it is told not to.
_OWN_FIELDS = ("Accept", "User-Agent", "Content-Type")


class Way:
    """Where a target is reached: addresses that the guard lets through, for as long as they are relied on."""

    __slots__ = ("addresses", "texts", "until")

    def __init__(self, addresses: Sequence[Address], until: float) -> None:
        self.addresses = addresses
        self.texts = {str(address) for address in addresses}
        self.until = until


class Call:
    """A request on its way."""

    __slots__ = ("limit", "refusal", "request", "sent", "tag", "target", "way")

    def __init__(self, tag: Any, request: HttpRequest, target: Target, limit: Deadline) -> None:
        self.tag = tag
        self.request = request
        self.target = target
        self.limit = limit
        self.way = _NOWHERE
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


class Line:
    """A handle of libcurl's, which carries one call after another."""

    __slots__ = ("body", "call", "fields", "handle", "head", "is_stale", "opened", "outbound", "sockets", "told")

    def __init__(self, outbound: Outbound, sockets: "dict[int, select.poll]") -> None:
        self.handle = curl.Curl()
        self.outbound = outbound
        self.sockets = sockets  # those of open connections, by their local port
        # What libcurl knows from the call before. (All calls that share a line have a body, and are POST.)
        self.fields: tuple[tuple[str, str], ...] | None = None
        self.told: dict[int, Any] = {}
        self.call: Call = _NOBODY
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
            self.sockets.update((port, _reading(fd)) for fd in self.opened if (port := _local_port(fd)))
            self.opened.clear()
        elif (kept := self.sockets.get(local_port)) and kept.poll(0):
            self.is_stale = True  # the other side has closed it, or sent what nobody asked for
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
            checked(self.call.target, [reached], self.outbound)  # where the name led some time ago
        except LatchkeyError as error:
            self.call.refusal = error
        return self.call.refusal is None

    def take(self, call: Call, *, is_fresh: bool) -> None:
        """Describe the call to libcurl. Raises `UnsendableRequest`, TimeoutError."""
        request, target, handle = call.request, call.target, self.handle
        has_body = request.body is not None or not call.is_repeatable
        if request.headers.fields != self.fields:
            handle.setopt(curl.HTTPHEADER, _lines(request, has_body=has_body))
            self.fields = request.headers.fields
        self._tell(curl.URL, f"{target.scheme}://{target.authority}{target.path}")
        self._tell(curl.FRESH_CONNECT, is_fresh)
        self._tell(curl.TIMEOUT_MS, max(1, round(call.limit.remaining() * 1000)))
        if has_body:
            handle.setopt(curl.POSTFIELDS, request.body or b"")
        elif request.method == "HEAD":
            handle.setopt(curl.NOBODY, 1)
        if request.method != "POST":
            handle.setopt(curl.CUSTOMREQUEST, request.method)
        self.call = call
        self.is_stale = False
        if target.host not in call.way.texts:
            listed = ",".join(f"[{one}]" if one.version == 6 else str(one) for one in call.way.addresses)
            handle.setopt(curl.RESOLVE, [f"+{target.host}:{target.port}:{listed}"])

    def _tell(self, option: int, value: Any) -> None:
        """Set an option, where the call before had another value."""
        if self.told.get(option) != value:
            self.handle.setopt(option, value)
            self.told[option] = value

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
        self.fields = None
        self.told.clear()
        self.handle.setopt(curl.URL, "")
        self.handle.setopt(curl.POSTFIELDS, b"")
        self.handle.setopt(curl.HTTPHEADER, [])


_NOWHERE = Way((), 0.0)
_NOBODY = Call(None, HttpRequest("GET", ""), Target("https", "", 443, "/"), Deadline(0))


def checked(target: Target, addresses: Sequence[Address], outbound: Outbound) -> Sequence[Address]:
    """Those that the guard lets through. Raises `AddressRefused` if it lets none."""
    is_encrypted = target.scheme == "https"
    return permitted(target.host, target.port, addresses, outbound.allowed, encrypted=is_encrypted)


def _lines(request: HttpRequest, *, has_body: bool) -> list[bytes]:
    """The header lines for CURLOPT_HTTPHEADER. Raises `UnsendableRequest`."""
    # An empty field needs ";": behind ":" it would mean that libcurl's own is not to be sent.
    lines = [(f"{name}: {value}" if value else f"{name};").encode() for name, value in fields_of(request)]
    lines += [f"{name}:".encode() for name in _OWN_FIELDS if name not in request.headers]
    return [*lines, b"Expect:"] if has_body else lines


def _headers(lines: Sequence[bytes]) -> Headers:
    """The fields of the answer itself: before it there may be interim answers, behind its body more fields."""
    fields: list[tuple[str, str]] = []
    is_open = False
    for line in lines:
        if line.startswith(b"HTTP/"):
            fields, is_open = [], True
        elif not (text := line.decode("latin-1").strip()):
            is_open = False
        elif is_open:
            name, _, value = text.partition(":")
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


def _reading(fd: int) -> "select.poll":
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return poll
