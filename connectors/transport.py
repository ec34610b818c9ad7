"""The one module that opens sockets: it asks for the address once, checks it, and connects to what it checked."""

import socket
import ssl
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address

from django.conf import settings

from connectors import client_certificates, tls
from connectors.addresses import Address, AllowList, allow_list, is_address, permitted, refuse_open
from connectors.deadline import Deadline
from connectors.exchange import (
    MAX_BODY,
    AnswerBroken,
    Connection,
    HandshakeEnded,
    NoAnswer,
    UnsendableRequest,
    exchange,
)
from connectors.failures import HUNG_UP, explained, insecure, unknown, unreachable
from connectors.oauth2.certificates import ClientCertificate
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.pool import Pool
from connectors.targets import Target, target_of

Resolve = Callable[[str, int], Sequence[Address]]
Ask = Callable[[Connection], tuple[HttpResponse, bool]]

_POOL = Pool()


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
    target = target_of(request.url)
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
        trouble = explained(error, target, limit)
    # Raised here, not above: __context__ would keep what was read or sent.
    raise trouble


def open_checked(
    scheme: str, host: str, port: int, limit: Deadline, *, outbound: Outbound, resolve: Resolve = resolve
) -> tuple[socket.socket, Address]:
    """Look `host` (normal) up once and open a socket to an address that may be reached; TLS is still to come.

    Raises AddressRefused, ProviderUnavailable, or TimeoutError at the deadline.
    """
    if scheme == "http":
        refuse_open(host, port, outbound.allowed)
    found = _looked_up(host, port, limit, resolve)
    return _opened(permitted(host, port, found, outbound.allowed, encrypted=scheme == "https"), host, port, limit)


def refuse_open_address(url: str, *, outbound: Outbound | None = None, resolve: Resolve | None = resolve) -> None:
    """Raise `AddressRefused` where a request to `url` would go over plain http to a host that isn't on the list.

    Nothing is sent. A name is looked up only where the list doesn't have it but holds networks, and passes without
    `resolve`; a look-up may raise `ProviderUnavailable`.
    """
    target = target_of(url)
    outbound = outbound or Outbound.from_settings()
    if target.scheme != "http" or outbound.allowed.names_host(target.host, target.port):
        return
    refuse_open(target.host, target.port, outbound.allowed)
    if resolve is None and not is_address(target.host):
        return
    limit = Deadline(outbound.timeout)
    try:
        found = _looked_up(target.host, target.port, limit, resolve or _by_itself)
    except TimeoutError as error:
        trouble = explained(error, target, limit)
    else:
        permitted(target.host, target.port, found, outbound.allowed, encrypted=False)
        return
    raise trouble


def _by_itself(host: str, port: int) -> Sequence[Address]:
    return [ip_address(host)]


def _connected(
    target: Target, limit: Deadline, outbound: Outbound, resolve: Resolve, certificate: ClientCertificate | None
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
        raise unknown(host)
    return found


def _opened(addresses: Sequence[Address], host: str, port: int, limit: Deadline) -> tuple[socket.socket, Address]:
    is_refused = False
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            # One address that swallows packets may not use up the others' time.
            sock = socket.create_connection((str(address), port), limit.remaining() / left)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock, address
        except OSError as error:
            is_refused = isinstance(error, ConnectionRefusedError)
    limit.remaining()
    raise unreachable(host, port, is_refused=is_refused)


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
        why, remedy = HUNG_UP
    sock.close()
    if alert in client_certificates.ALERTS:
        raise client_certificates.turned_down(alert, host, presented=presents)
    raise insecure(host, why, remedy, presents=presents)
