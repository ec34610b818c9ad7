"""A real HTTP server on loopback: a token endpoint, and an API that accepts the newest token only."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.services.loopback import serving

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass
class ApiServer:
    """`valid` is the one token that the API accepts; None: any that was issued last."""

    url: str = ""
    tokens: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    routes: dict[str, Callable[[Asked], Reply]] = field(default_factory=dict)
    lifetime: float = 3600
    token_takes: float = 0.0  # seconds
    is_token_refused: bool = False
    token_status: int = 200
    valid: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            return self._token()
        with self._lock:
            self.asked.append(asked)
        if asked.path in self.routes:
            return self.routes[asked.path](asked)
        return self.guarded(asked)

    def guarded(self, asked: Asked) -> Reply:
        given = asked.headers.get("authorization", "").removeprefix("Bearer ")
        given = given or asked.query.get("api_key", [""])[0]
        if given != (self.valid or self.tokens[-1]):
            return 401, {}, b'{"error": "invalid_token"}'
        return 200, {"Content-Type": "application/json"}, json.dumps({"token": given}).encode()

    def _token(self) -> Reply:
        with self._lock:
            self.tokens.append(f"token-{len(self.tokens) + 1}")
            token = self.tokens[-1]
        time.sleep(self.token_takes)
        if self.is_token_refused:
            return 401, {"Content-Type": "application/json"}, b'{"error": "invalid_client"}'
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}
        return self.token_status, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def revoke(self) -> None:
        """Turn all tokens down that were issued so far."""
        self.valid = f"token-{len(self.tokens) + 1}"

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@contextmanager
def api_server() -> Iterator[ApiServer]:
    served = ApiServer()
    server = _Server(("127.0.0.1", 0), _handler(served))
    served.url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield served


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """A client that is killed or gives up is no news."""


def _handler(served: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, parts.path, parse_qs(parts.query), headers, self._body(headers))
            status, fields, body = served.reply(asked)
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self, headers: dict[str, str]) -> bytes:
            if headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(headers.get("content-length", 0)))
            body = b""
            while length := int(self.rfile.readline(), 16):
                body += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return body

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *args: object) -> None:
            pass

    return Handler
