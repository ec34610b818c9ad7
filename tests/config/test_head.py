"""HEAD is answered without a body by every page and call, as the web server gets it."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

pytestmark = pytest.mark.django_db


def _asked(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body as they leave for the web server; Django's test client takes bodies away by itself."""
    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
    }

    def start(status: str, headers: list[tuple[str, str]], error: Any = None, /) -> Callable[[bytes], object]:
        started.extend([status, dict(headers)])
        return started.append

    answer = WSGIHandler()(environ, start)
    body = b"".join(answer)
    answer.close()
    return int(started[0][:3]), started[1], body


@pytest.mark.parametrize("path", ["/healthz", "/login/", "/nothing-here", "/api/v1/docs", "/api/v1/openapi.json"])
def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    status, headers, body = _asked("GET", path)

    head = _asked("HEAD", path)

    assert head[0] == status
    assert head[1]["Content-Length"] == headers["Content-Length"] == str(len(body))
    assert head[2] == b""


def test_head_of_a_call_that_is_refused_has_no_body() -> None:
    status, headers, body = _asked("HEAD", "/api/v1/instances")

    assert status == 401
    assert headers["Content-Type"] == "application/problem+json"
    assert (int(headers["Content-Length"]) > 0, body) == (True, b"")
