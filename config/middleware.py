"""Middleware of the site as a whole."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from whitenoise.middleware import WhiteNoiseMiddleware


def send_no_body_for_head(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer HEAD with the headers alone (RFC 9110 section 9.3.2).

    Neither Django nor gunicorn takes the body away, and the next answer on that connection would begin with it.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        asked_for = request.method  # what is within may treat HEAD as GET
        response = get_response(request)
        if asked_for == "HEAD":
            _empty(response)
        return response

    return answer


def _empty(response: HttpResponse) -> None:
    if response.streaming:
        response.streaming_content = ()  # type: ignore[attr-defined]  # of StreamingHttpResponse
        return
    response.headers.setdefault("Content-Length", str(len(response.content)))
    response.content = b""


def relax_admin_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the admin, and nothing else, the content security policy that its theme needs."""
    admin = reverse("admin:index")

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith(admin):
            response._csp_replace = settings.ADMIN_CONTENT_SECURITY_POLICY  # type: ignore[attr-defined]
        return response

    return answer


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # it ships no types
    """WhiteNoise, which is content when `collectstatic` never ran: it then serves the apps' own folders."""

    def add_files(self, root: str | Path, prefix: str | None = None) -> None:
        if Path(root).is_dir():
            super().add_files(root, prefix)
