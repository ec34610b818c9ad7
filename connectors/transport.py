"""The one module that opens sockets: it asks for the address once, checks it, and connects to what it checked."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from django.conf import settings

from connectors import client_certificates, tls
from connectors.addresses import Address, AllowList, allow_list, normal_host, permitted
from connectors.deadline import Deadline
from connectors.exchange import (
    MAX_BODY,
    AnswerBroken,
    AnswerTooLarge,
    Connection,
    HandshakeEnded,
    NoAnswer,
    UnsendableRequest,
    exchange,
)
from connectors.oauth2.certificates import ClientCertificate
from connectors.oauth2.errors import (
    AddressRefused,
    LatchkeyError,
    ProviderUnavailable,
    ResponseNotUnderstood,
    ValidationFailed,
)
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.pool import Pool

Resolve = Callable[[str, int], Sequence[Address]]
Ask = Callable[[Connection], tuple[HttpResponse, bool]]

_POOL = Pool()
_PORTS = {"http": 80, "https": 443}
# urlsplit() drops tabs and line breaks and browsers read "\" as "/": an address with any of them has two readings.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")
_AS_IT_STANDS = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Outbound:
    """What the operator settled about requests that leave."""

    allowed: AllowList = field(default_factory=AllowList)
    ca_file: str = ""
    timeout: float = 30.0  # seconds

    @classmethod
    def from_settings(cls) -> "Outbound":
        entries = tuple(settings.OUTBOUND_ALLOWED_HOSTS)
        return cls(allow_list(entries), str(settings.OUTBOUND_CA_FILE or ""), float(settings.OUTBOUND_TIMEOUT))


@dataclass(frozen=True, slots=True)
class _Target:
    scheme: str
    host: str
    port: int
    path: str = field(repr=False)  # with the query, where secrets may be

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of `host`, in the system's order of preference; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0]).split("%")[0]) for entry in found))


def send(
    request: HttpRequest,
    *,
    deadline: float | None = None,
    outbound: Outbound | None = None,
    resolve: Resolve = resolve,
    pool: Pool = _POOL,
    max_body: int = MAX_BODY,
) -> HttpResponse:
    """Carry `request` to its host and bring back the answer, whatever its status; redirects are not followed.

    `deadline` is in seconds for all of it, from the look-up of the name to the last byte (OUTBOUND_TIMEOUT if None).
    Raises AddressRefused if nothing was sent because of where it would go, ProviderUnavailable if no whole answer
    came in time, ResponseNotUnderstood if one came that is too large or broken, ValidationFailed if a value can't
    stand in a header, CredentialsRefused if the host turns the client certificate down. A request other than GET or
    HEAD is never sent twice: the provider may have received it.
    """
    outbound = outbound or Outbound.from_settings()
    target = _target(request.url)
    limit = Deadline(outbound.timeout if deadline is None else deadline, spent=request.spent)
    certificate = request.certificate
    # A connection speaks for whoever presented a certificate on it: nobody else may have it.
    shown = certificate.fingerprint if certificate else ""
    key = (target.scheme, target.host, target.port, outbound.allowed, outbound.ca_file, shown)
    dial = partial(_connected, target, limit, outbound, resolve, certificate)
    ask = partial(
        exchange, request=request, target=target.path, host=target.authority, deadline=limit, max_body=max_body
    )
    trouble: LatchkeyError
    try:
        return _carried(ask, dial, pool, key, repeatable=request.method in ("GET", "HEAD"))
    except HandshakeEnded as error:
        trouble = client_certificates.turned_down(error.reason, target.authority, presented=certificate is not None)
    except (TimeoutError, NoAnswer, AnswerBroken, UnsendableRequest) as error:
        trouble = _explained(error, target, limit)
    # Raised here, not above: __context__ would keep what was read or sent.
    raise trouble


def open_checked(
    scheme: str, host: str, port: int, limit: Deadline, *, outbound: Outbound, resolve: Resolve = resolve
) -> tuple[socket.socket, Address]:
    """Look `host` (normal) up once and open a socket to an address that may be reached; TLS is still to come.

    Raises AddressRefused, ProviderUnavailable, or TimeoutError at the deadline.
    """
    found = _looked_up(host, port, limit, resolve)
    return _opened(permitted(host, port, found, outbound.allowed, encrypted=scheme == "https"), host, port, limit)


def _connected(
    target: _Target, limit: Deadline, outbound: Outbound, resolve: Resolve, certificate: ClientCertificate | None
) -> Connection:
    context = tls.context(outbound.ca_file, certificate) if target.scheme == "https" else None
    sock, address = open_checked(target.scheme, target.host, target.port, limit, outbound=outbound, resolve=resolve)
    if context is not None:
        sock = _secured(sock, target.host, limit, context, presents=certificate is not None)
    return Connection(sock, address)


def _carried(ask: Ask, dial: Callable[[], Connection], pool: Pool, key: Hashable, *, repeatable: bool) -> HttpResponse:
    connection = pool.take(key) or dial()
    try:
        return _over(connection, ask, pool, key)
    except NoAnswer as error:
        # The server may have closed a kept connection just as we wrote to it; only what is safe goes out again.
        if not (error.silent and connection.used and repeatable):
            raise
    return _over(dial(), ask, pool, key)


def _over(connection: Connection, ask: Ask, pool: Pool, key: Hashable) -> HttpResponse:
    reusable = False
    try:
        answer, reusable = ask(connection)
    finally:
        if reusable:
            pool.put(key, connection)
        else:
            connection.close()
    return answer


def _target(url: str) -> _Target:
    problem = ""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        problem = "It can't be read as an address."
    if not problem and _AMBIGUOUS.search(url):
        problem = "It holds a space, a backslash or a control character."
    elif not problem and scheme not in _PORTS:
        problem = "It begins with neither https:// nor http://."
    elif not problem and not host:
        problem = "It names no host."
    elif not problem and "@" in parts.netloc:
        problem = "It holds a user name or a password before the host."
    elif not problem and port == 0:
        problem = "Its port is 0."
    if problem:
        raise AddressRefused("No request was sent to the address.", problem, "Correct the address in the definition.")
    path = quote(parts.path or "/", safe=_AS_IT_STANDS) + (
        "?" + quote(parts.query, safe=_AS_IT_STANDS) if parts.query else ""
    )
    return _Target(scheme, normal_host(host), port or _PORTS[scheme], path)


def _looked_up(host: str, port: int, limit: Deadline, resolve: Resolve) -> Sequence[Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    found: list[Address] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            found.extend(resolve(host, port))
        except (OSError, ValueError):  # UnicodeError, for labels that the resolver can't take, is a ValueError
            pass
        finally:
            done.set()

    # The C library's look-up can't be given a time-out: hence a thread that may be left behind.
    threading.Thread(target=look_up, daemon=True, name="look-up").start()
    if not done.wait(limit.remaining()):
        raise TimeoutError
    if not found:
        raise ProviderUnavailable(
            f"{host} could not be reached.",
            "No address is known for that name.",
            "Check the host in the address. If it is right, check this machine's name resolution (DNS).",
            is_endpoints=True,
        )
    return found


def _opened(addresses: Sequence[Address], host: str, port: int, limit: Deadline) -> tuple[socket.socket, Address]:
    why = ""
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            # One address that swallows packets may not use up the others' time.
            sock = socket.create_connection((str(address), port), limit.remaining() / left)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock, address
        except OSError as error:
            why = (
                "The connection was refused." if isinstance(error, ConnectionRefusedError) else "There is no way to it."
            )
    limit.remaining()
    raise ProviderUnavailable(
        f"{host} could not be reached at port {port}.",
        why,
        "Check the address; if it is right, try again later.",
        is_endpoints=True,
    )


def _secured(
    sock: socket.socket, host: str, limit: Deadline, context: ssl.SSLContext, *, presents: bool
) -> ssl.SSLSocket:
    alert = ""
    try:
        sock.settimeout(limit.remaining())  # for the whole handshake: OpenSSL's wrapper reckons it so
        return context.wrap_socket(sock, server_hostname=host)
    except TimeoutError:
        sock.close()
        raise
    except ssl.SSLError as error:
        alert = error.reason or ""
        why, remedy = tls.explain(error, host)
    except OSError:
        why, remedy = "It closed the connection during the TLS handshake.", "Check the address, or try again later."
    sock.close()
    if alert in client_certificates.ALERTS:
        raise client_certificates.turned_down(alert, host, presented=presents)
    # Where a certificate was presented it may be that one's fault alone: others may fare better with theirs.
    raise ProviderUnavailable(f"No secure connection to {host} could be made.", why, remedy, is_endpoints=not presents)


def _explained(error: Exception, target: _Target, limit: Deadline) -> LatchkeyError:
    host = target.authority
    if isinstance(error, TimeoutError):
        return ProviderUnavailable(
            f"{host} did not answer in time.",
            f"The whole exchange may take {limit.seconds:g} seconds.",
            "Try again later. If the host is always that slow, have the operator raise OUTBOUND_TIMEOUT.",
            is_endpoints=True,
        )
    if isinstance(error, NoAnswer):
        why = (
            "It closed the connection without an answer; whether it acted on the request isn't known."
            if error.silent
            else "The connection ended in the middle of the answer."
        )
        return ProviderUnavailable(f"{host} gave no whole answer.", why, "Try again later.", is_endpoints=True)
    if isinstance(error, UnsendableRequest):
        return ValidationFailed(f"No request was sent to {host}.", str(error), "Correct the values or the definition.")
    what = f"The answer of {host} could not be used."
    assert isinstance(error, AnswerBroken)  # noqa: S101 -- for the type checker: send() catches nothing else
    remedy = "Check that the address is that of an API, not of a page or a download."
    if not isinstance(error, AnswerTooLarge):
        remedy = "Check that the address and port are those of an HTTP server."
    return ResponseNotUnderstood(what, error.why, remedy, status=error.status)
