"""A token endpoint on loopback, for tests that need a real one to talk to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tests.services.loopback import serving

GOOD_SECRET = "the-right-secret"
BAD_SECRET = "the-wrong-secret"
ISSUED = "token-from-the-server"


class TokenServer(ThreadingHTTPServer):
    """Issues tokens for `GOOD_SECRET`; counts the requests, and answers each only while `gate` is open."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TokenEndpoint)
        self.requests = 0
        self.gate = threading.Event()
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"


class _TokenEndpoint(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        self.server.requests += 1
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.gate.wait(10)
        if body.get("client_secret") == [GOOD_SECRET]:
            self._answer(200, {"access_token": ISSUED, "token_type": "Bearer", "expires_in": 3600})
        else:
            self._answer(401, {"error": "invalid_client", "error_description": "Unknown client."})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running() -> Iterator[TokenServer]:
    server = TokenServer()
    with serving(server):
        yield server
