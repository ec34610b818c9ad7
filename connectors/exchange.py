"""One HTTP/1.1 exchange over a connection that is open already: bounded in time, bytes and interim answers."""

import io
import re
import select
import socket
import ssl
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from time import monotonic
from typing import cast

from connectors.addresses import Address
from connectors.client_certificates import ALERTS
from connectors.deadline import Deadline
from connectors.oauth2.http import Headers, HttpRequest, HttpResponse

MAX_BODY = 1 << 20  # bytes, as sent and unpacked: a token answer is a few kB
MAX_HEAD = 1 << 16  # bytes of status lines and headers, interim answers included
# What one byte of body may cost on the wire: "1\r\nx\r\n" in chunks of one byte each.
_CHUNKING = 6

_MAX_MEMBERS = 1000  # of a gzip body: what is behind each is copied

_ALERT_PATIENCE = 1.0  # seconds; what is there already takes none

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]+")
_FRAMING = frozenset({"content-length", "transfer-encoding"})


class UnsendableRequest(Exception):
    """The request can't be written as HTTP. The message holds no value."""


class AnswerBroken(Exception):
    """What came isn't a whole HTTP answer that we can read. The message holds nothing of it."""

    def __init__(self, why: str, *, status: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


class AnswerTooLarge(AnswerBroken):
    """More came than anyone needs to say."""


class HandshakeEnded(Exception):
    """The other side ended the TLS handshake with this alert, as OpenSSL calls it; with TLS 1.3 only after our part."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoAnswer(Exception):
    """The connection ended before the answer did. `silent`: not a byte of an answer came."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__(silent)
        self.silent = silent


@dataclass(slots=True)
class Connection:
    """An open connection to the one address that was checked."""

    sock: socket.socket = field(repr=False)
    address: Address
    opened: float = field(default_factory=monotonic)
    idle_since: float = 0.0
    used: bool = False

    def is_stale(self) -> bool:
        """Whether the other side has closed it, or sent what nobody asked for: nothing may come between exchanges."""
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return True
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        self.sock.close()


class _Incoming(io.RawIOBase):
    """Bytes from a socket, until the deadline or the budget is spent."""

    def __init__(self, sock: socket.socket, deadline: Deadline, budget: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self.budget = budget
        self.received = 0
        self.over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stubs' Buffer can't be measured
        if self.over:
            return 0
        # A time-out per call would let a server that sends a byte a second hold us for ever.
        self._sock.settimeout(self._deadline.remaining())
        count = self._sock.recv_into(buffer)
        self.received += count
        if self.received > self.budget:
            raise AnswerTooLarge("It was too large.")
        return count


class _Reader(io.BufferedReader):
    """What `http.client` reads from: it outlives the interim answers, whose objects would close it."""

    def makefile(self, mode: str) -> "_Reader":
        return self

    def close(self) -> None:
        pass


def exchange(
    connection: Connection,
    request: HttpRequest,
    target: str,
    host: str,
    deadline: Deadline,
    *,
    max_body: int = MAX_BODY,
) -> tuple[HttpResponse, bool]:
    """Send `request` and read the whole answer; also whether the connection can carry another one.

    `target` is the path and query, `host` the Host field. Raises TimeoutError, NoAnswer, AnswerBroken (or its
    AnswerTooLarge), HandshakeEnded or UnsendableRequest.
    """
    data = _written(request, target, host)
    incoming = _Incoming(connection.sock, deadline, MAX_HEAD)
    try:
        _send(connection.sock, data, deadline)
        return _receive(incoming, request.method, max_body)
    except TimeoutError:
        raise
    except HTTPException as error:
        trouble: Exception = _broken(error)
    except ValueError:  # http.client on sizes that aren't numbers
        trouble = AnswerBroken("It was not well-formed HTTP.")
    except OSError as error:
        reason = _alert(error, connection.sock)
        trouble = HandshakeEnded(reason) if reason else NoAnswer(silent=incoming.received == 0)
    # Raised here, not above: http.client's errors hold what came, and would stay on as __context__.
    raise trouble


def fields_of(request: HttpRequest) -> list[tuple[str, str]]:
    """The header fields to send, save Host and Content-Length. Raises `UnsendableRequest` for what HTTP can't carry."""
    fields = [(name, value) for name, value in request.headers.fields if name.lower() not in _FRAMING]
    if "Accept-Encoding" not in request.headers:
        fields.append(("Accept-Encoding", "identity"))
    if not _is_token(request.method):
        raise UnsendableRequest("The request's method is not one that HTTP knows.")
    for name, value in fields:
        if not _is_token(name):
            raise UnsendableRequest("A header's name holds a character that HTTP doesn't allow there.")
        if "\n" in value or "\r" in value or "\0" in value:
            raise UnsendableRequest(f"The header {name} holds a line break.")
    return fields


@lru_cache(maxsize=4096)
def _is_token(word: str) -> bool:
    return _TOKEN.fullmatch(word) is not None


def _written(request: HttpRequest, target: str, host: str) -> bytes:
    fields = fields_of(request)
    if "Host" not in request.headers:
        fields.insert(0, ("Host", host))
    if request.body is not None or request.method not in ("GET", "HEAD"):
        fields.append(("Content-Length", str(len(request.body or b""))))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{request.method} {target} HTTP/1.1\r\n{head}\r\n".encode() + (request.body or b"")


def _send(sock: socket.socket, data: bytes, deadline: Deadline) -> None:
    # Not sendall(): over TLS that takes the time-out anew for every piece.
    rest = memoryview(data)
    while rest:
        sock.settimeout(deadline.remaining())
        rest = rest[sock.send(rest) :]


def _alert(error: OSError, sock: socket.socket) -> str:
    """The alert about our certificate that ended the connection, if one did.

    In TLS 1.3 our part of the handshake is over before the server looks at our certificate (RFC 8446 section 4.4.2.4):
    its alert is what we read, or lies unread where our writing failed because it had hung up.
    """
    if not isinstance(sock, ssl.SSLSocket):
        return ""
    reason = getattr(error, "reason", None)
    if reason is None:
        try:
            sock.settimeout(_ALERT_PATIENCE)
            sock.recv(1)
        except OSError as unread:
            reason = getattr(unread, "reason", None)
    return reason if reason in ALERTS else ""


def _receive(incoming: _Incoming, method: str, max_body: int) -> tuple[HttpResponse, bool]:
    reader = _Reader(incoming)
    response = _begun(reader, method)
    while 100 < response.status < 200 and response.status != 101:
        response = _begun(reader, method)  # 102 and 103 announce an answer; http.client itself only skips 100
    status = response.status
    if status == 101:
        raise AnswerBroken("It switches to a protocol that nobody asked for.", status=status)
    headers = Headers(tuple((name, unfolded(value)) for name, value in response.headers.items()))
    incoming.budget += max_body * _CHUNKING + MAX_HEAD
    body = _body(response, max_body)
    incoming.over = True
    # What came after the answer's end belongs to no request of ours; the next one's answer must not begin with it.
    reusable = not response.will_close and response.isclosed() and not reader.peek(1)
    return HttpResponse(status, headers, unpacked(body, headers, status, max_body)), reusable


def unfolded(value: str) -> str:
    """A header's value as one line (RFC 9112 section 5.2)."""
    value = value.strip()
    return _FOLD.sub(" ", value) if "\n" in value else value


def _begun(reader: _Reader, method: str) -> HTTPResponse:
    response = HTTPResponse(cast(socket.socket, reader), method=method)
    response.begin()
    return response


def _body(response: HTTPResponse, max_body: int) -> bytes:
    if (response.length or 0) > max_body:
        raise AnswerTooLarge("It was too large.", status=response.status)
    body = response.read(max_body + 1)
    if len(body) > max_body:
        raise AnswerTooLarge("It was too large.", status=response.status)
    if response.length:  # http.client tells of a short body only when it is read without an amount
        raise NoAnswer(silent=False)
    return body


def unpacked(body: bytes, headers: Headers, status: int, max_body: int) -> bytes:
    """Undo Content-Encoding, which we don't ask for but some send anyway; never to more than `max_body` bytes."""
    codings = headers.all("Content-Encoding")
    if not codings:
        return body
    coding = ", ".join(codings).strip().lower()
    if coding in ("", "identity") or not body:
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise AnswerBroken("It is compressed in a way that was not asked for.", status=status)
    plain = _inflated(body, zlib.MAX_WBITS | 32, max_body)  # gzip or zlib, whichever it is
    if plain is None and coding == "deflate":
        plain = _inflated(body, -zlib.MAX_WBITS, max_body)  # without zlib's header, as some send it
    if plain is None:
        raise AnswerBroken("Its compressed body is damaged.", status=status)
    if len(plain) > max_body:
        raise AnswerTooLarge("It was too large once unpacked.", status=status)
    return plain


def _inflated(body: bytes, wbits: int, max_body: int) -> bytes | None:
    """The body unpacked, as far as one byte beyond `max_body`; None if it is damaged."""
    plain, rest = b"", body
    for _ in range(_MAX_MEMBERS):
        if not rest:
            return plain
        unpacker = zlib.decompressobj(wbits)
        try:
            plain += unpacker.decompress(rest, max_body + 1 - len(plain))
        except zlib.error:
            # gzip may come in several members (RFC 1952 section 2.2); what is none, behind the first, is padding.
            return None if rest is body else plain
        if len(plain) > max_body:
            return plain
        if not unpacker.eof:
            return None
        rest = unpacker.unused_data
    return None


def _broken(error: HTTPException) -> Exception:
    name = type(error).__name__
    if name in ("RemoteDisconnected", "IncompleteRead"):
        return NoAnswer(silent=name == "RemoteDisconnected")
    if name == "LineTooLong":
        return AnswerTooLarge("A line of it was too long.")
    return AnswerBroken("It was not HTTP that can be understood.")
