"""A token endpoint on loopback that stands in for every provider: it answers as told, and keeps what it was sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from connectors import transport
from connectors.addresses import AllowList
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.oauth2.method import Method
from connectors.pool import Pool

API = "https://api.told.example.com"
TOKEN = "T0KEN"


@dataclass
class StandIn:
    """`asked` is as `catalogue_rendering.as_sent` writes it, with the host that the request was meant for."""

    port: int = 0
    answer: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    def answers(self, told: object, token_path: str) -> None:
        """Answer with these fields, or with this text if it is XML, and with the token where it is looked for."""
        where, _, name = token_path.partition(":")
        self.headers = {
            "header": {name: TOKEN},
            "cookie": {"Set-Cookie": f"{name}={TOKEN}; Path=/; HttpOnly; Secure"},
        }.get(where, {})
        is_xml = isinstance(told, str)
        self.content_type = "application/xml" if is_xml else "application/json"
        self.answer = str(told).encode() if is_xml else json.dumps(TOKEN if token_path == "$" else told).encode()

    def send(self, request: HttpRequest) -> HttpResponse:
        """Carry a request over the real transport, but to loopback instead of to its host."""
        parts = urlsplit(request.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        redirected = replace(request, url=f"http://127.0.0.1:{self.port}{path}")
        outbound = transport.Outbound(AllowList.parse([f"127.0.0.1:{self.port}"]), timeout=10)
        answer = transport.send(redirected, outbound=outbound, pool=Pool())
        self.asked["url"] = f"{parts.scheme}://{parts.netloc}{self.asked['url']}"
        return answer


@contextmanager
def stand_in() -> Iterator[StandIn]:
    served = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    server.daemon_threads = True
    served.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(served: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            # Python reads header fields as Latin-1; what was sent is UTF-8.
            headers = {name.lower(): value.encode("latin-1").decode() for name, value in self.headers.items()}
            served.asked = {"method": self.command, "url": self.path, "headers": headers, "body": body.decode()}
            self.send_response(200)
            self.send_header("Content-Type", served.content_type)
            self.send_header("Content-Length", str(len(served.answer)))
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(served.answer)

        do_GET = do_POST = answer

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def shaped(method: Method, access_token_path: str) -> dict[str, Any]:
    """An answer of the shape that the definition expects: the token, an hour's life and what is kept."""
    response = method.definition.token_response
    units = {"s": 3600, "ms": 3_600_000, "min": 60}
    answer: dict[str, Any] = {}
    for path in response.kept.values():
        _put(answer, path, API)
    if response.token_type:
        _put(answer, response.token_type, "Bearer")
    if response.expires_at:
        _put(answer, response.expires_at, "2026-01-02T04:04:05Z")
    elif response.expires_in:
        _put(answer, response.expires_in, units[response.expires_in_unit])
    if access_token_path != "$" and ":" not in access_token_path:
        _put(answer, access_token_path, TOKEN)
    return answer


def _put(answer: dict[str, Any], path: str, value: object) -> None:
    *above, last = path.split(".")
    for name in above:
        answer = answer.setdefault(name, {})
    answer[last] = value
