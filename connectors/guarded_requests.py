"""`requests` with the same guard, for the API requests of the host's own code."""

import os
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

from connectors import tls
from connectors.addresses import normal_host
from connectors.deadline import Deadline
from connectors.oauth2.certificates import ClientCertificate
from connectors.transport import Outbound, Resolve, open_checked, resolve


class _Guard:
    """How the connections of one adapter reach their hosts."""

    def __init__(self, outbound: Outbound, resolve: Resolve) -> None:
        self.outbound = outbound
        self.resolve = resolve

    def open(self, scheme: str, host: str, port: int, timeout: object) -> socket.socket:
        seconds = float(timeout) if isinstance(timeout, int | float) else self.outbound.timeout
        limit = Deadline(seconds)
        try:
            sock, _ = open_checked(scheme, normal_host(host), port, limit, outbound=self.outbound, resolve=self.resolve)
        except TimeoutError:
            pass  # raised below in urllib3's words, which `requests` turns into its own
        else:
            sock.settimeout(seconds)
            return sock
        raise ConnectTimeoutError(f"{host} could not be reached within {seconds:g} seconds.")


def present(request: requests.PreparedRequest, certificate: ClientCertificate | None) -> None:
    """Have a `GuardedAdapter` present this certificate, or none, when it sends `request`."""
    request.client_certificate = certificate  # type: ignore[attr-defined]


def _manager(guard: _Guard, **kwargs: Any) -> PoolManager:
    class Http(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return guard.open("http", self._dns_host, self.port, self.timeout)

    class Https(HTTPSConnection):
        # TLS follows in urllib3, by the name, on the socket that leads to the checked address.
        def _new_conn(self) -> socket.socket:
            return guard.open("https", self._dns_host, self.port, self.timeout)

    class HttpPool(HTTPConnectionPool):
        ConnectionCls = Http

    class HttpsPool(HTTPSConnectionPool):
        ConnectionCls = Https

    manager = PoolManager(**kwargs)
    manager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}
    return manager


class GuardedAdapter(HTTPAdapter):
    """Connects only to addresses that passed the guard, each redirect's too; proxies, `verify` and `cert` don't count.

    `present` says which client certificate a request goes with. Raises AddressRefused where the guard refuses,
    ProviderUnavailable where no address is found or answers, and `requests`' own errors from there on. Without a
    timeout a request gets OUTBOUND_TIMEOUT, for connecting and between two pieces of the answer.
    """

    def __init__(self, *, outbound: Outbound | None = None, resolve: Resolve = resolve, **kwargs: Any) -> None:
        self._guard = _Guard(outbound or Outbound.from_settings(), resolve)
        self._pid = os.getpid()
        super().__init__(**kwargs)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        self._pool_size = (connections, maxsize, block)
        self.poolmanager = _manager(
            self._guard,
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=tls.context(self._guard.outbound.ca_file),
            **pool_kwargs,
        )

    def send(  # type: ignore[override]  # the stubs spell the arguments out
        self, request: requests.PreparedRequest, *, stream: bool = False, timeout: Any = None, **ignored: Any
    ) -> requests.Response:
        if self._pid != os.getpid():  # a forked child must not write to its parent's sockets
            self._pid = os.getpid()
            self.init_poolmanager(*self._pool_size)
        if timeout is None:
            timeout = self._guard.outbound.timeout
        return super().send(request, stream=stream, timeout=timeout, verify=True, cert=None, proxies=None)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, True, None)
        certificate: ClientCertificate | None = getattr(request, "client_certificate", None)
        if certificate is None:
            return host, {}
        # Connections are kept by their context, so that none is shared by two certificates.
        return host, {"ssl_context": tls.context(self._guard.outbound.ca_file, certificate)}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context decides. `requests` would read its own authorities into it, anew for each connection."""


def guarded_session(*, outbound: Outbound | None = None, resolve: Resolve = resolve) -> requests.Session:
    """A session that goes through the guard alone and takes nothing from the environment."""
    session = requests.Session()
    session.trust_env = False
    adapter = GuardedAdapter(outbound=outbound, resolve=resolve)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
