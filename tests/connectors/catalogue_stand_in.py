"""A token endpoint on loopback that stands in for every provider: it answers as told, and keeps what it was sent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from connectors import transport
from connectors.addresses import AllowList
from connectors.oauth2.definition import Step
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.oauth2.method import Method
from connectors.pool import Pool
from tests.services.loopback import serving

API = "https://api.told.example.com"
TOKEN = "T0KEN"


@dataclass
class Said:
    """What is answered."""

    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, told: object, **headers: str) -> "Said":
        """These fields, or this text if it is XML."""
        if isinstance(told, str):
            return cls(told.encode(), "application/xml", headers)
        return cls(json.dumps(told).encode(), headers=headers)


@dataclass
class StandIn:
    """`asked`: the requests as `catalogue_rendering.as_sent` writes them, with the hosts that they were meant for."""

    port: int = 0
    said: Said = field(default_factory=Said)
    before: list[Said] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answers(self, told: object, token_path: str, steps: list[Said]) -> None:
        """Answer the steps, then with these fields or this XML and with the token where it is looked for."""
        where, _, name = token_path.partition(":")
        headers = {
            "header": {name: TOKEN},
            "cookie": {"Set-Cookie": f"{name}={TOKEN}; Path=/; HttpOnly; Secure"},
        }.get(where, {})
        is_whole = token_path == "$" and not isinstance(told, str)
        self.said = Said(json.dumps(TOKEN).encode()) if is_whole else Said.of(told, **headers)
        self.before, self.asked = list(steps), []

    def send(self, request: HttpRequest) -> HttpResponse:
        """Carry a request over the real transport, but to loopback instead of to its host."""
        parts = urlsplit(request.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        redirected = replace(request, url=f"http://127.0.0.1:{self.port}{path}")
        outbound = transport.Outbound(AllowList.parse([f"127.0.0.1:{self.port}"]), timeout=10)
        answer = transport.send(redirected, outbound=outbound, pool=Pool())
        self.asked[-1]["url"] = f"{parts.scheme}://{parts.netloc}{self.asked[-1]['url']}"
        return answer


@contextmanager
def stand_in() -> Iterator[StandIn]:
    served = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    server.daemon_threads = True
    served.port = server.server_port
    with serving(server):
        yield served


def _handler(served: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            # Python reads header fields as Latin-1; what was sent is UTF-8.
            headers = {name.lower(): value.encode("latin-1").decode() for name, value in self.headers.items()}
            served.asked.append({"method": self.command, "url": self.path, "headers": headers, "body": body.decode()})
            said = served.before.pop(0) if served.before else served.said
            self.send_response(200)
            self.send_header("Content-Type", said.content_type)
            self.send_header("Content-Length", str(len(said.body)))
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

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
        _put(answer, response.token_type, "DPoP" if method.definition.token_request.dpop else "Bearer")
    if response.expires_at:
        _put(answer, response.expires_at, "2026-01-02T04:04:05Z")
    elif response.expires_in:
        _put(answer, response.expires_in, units[response.expires_in_unit])
    if access_token_path != "$" and ":" not in access_token_path:
        _put(answer, access_token_path, TOKEN)
    return answer


def step_answers(method: Method, kept: dict[str, str]) -> list[Said]:
    """Answers of the shapes that the steps expect, with what they keep."""
    return [_step_answer(step, kept) for step in method.definition.steps]


def _step_answer(step: Step, kept: dict[str, str]) -> Said:
    fields: dict[str, Any] = {}
    headers: dict[str, str] = {}
    for name, path in step.keep.items():
        where, _, field_name = path.partition(":")
        value = kept[f"{step.key}.{name}"]
        if where == "cookie":
            headers["Set-Cookie"] = f"{field_name}={value}; Path=/; HttpOnly; Secure"
        elif where == "header":
            headers[field_name] = value
        else:
            _put(fields, path, value)
    return Said.of(_xml(fields) if "xml" in str(step.headers).lower() else fields, **headers)


def _xml(fields: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{_xml(value) if isinstance(value, dict) else value}</{name}>" for name, value in fields.items()
    )


def _put(answer: dict[str, Any], path: str, value: object) -> None:
    *above, last = path.split(".")
    for name in above:
        answer = answer.setdefault(name, {})
    answer[last] = value
