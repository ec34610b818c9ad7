"""What a response of the API must be, whoever made it: never cached, and a problem where it is an error."""

from collections.abc import Callable

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from integrations.api import chunked
from integrations.api.errors import BadRequest, InternalError, MethodNotAllowed, NotFound
from integrations.api.problems import CONTENT_TYPE, problem

PREFIX = "/api/"
_READING = "GET, HEAD"


def speak_problems(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give what Django refuses by itself (404, 405, 500 …) the API's form, and keep tokens out of caches."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return get_response(request)
        fault = _unreadable(request) or _unstorable(request) or chunked.read(request)
        response = _refused(fault) if fault else _answered(request, get_response)
        if response.status_code >= 400 and not response.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
            kept = {"Allow": _with_head(response.headers["Allow"])} if "Allow" in response.headers else {}
            response = problem(_error(request, response), headers=kept)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def _answered(request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """What is read is there for HEAD too (RFC 9110 section 9.1); django-ninja knows the declared methods alone."""
    if request.method != "HEAD":
        return get_response(request)
    request.method = "GET"
    try:
        return get_response(request)
    finally:
        request.method = "HEAD"


def _with_head(allowed: str) -> str:
    methods = [one.strip() for one in allowed.split(",")]
    return ", ".join([*methods, "HEAD"] if "GET" in methods and "HEAD" not in methods else methods)


def _refused(fault: LatchkeyError) -> HttpResponse:
    return problem(fault, headers={"Allow": _READING} if isinstance(fault, MethodNotAllowed) else None)


def _unreadable(request: HttpRequest) -> LatchkeyError | None:
    """The document and its page are served whatever the method, and what a browser's form sends fails elsewhere."""
    if request.method in ("GET", "HEAD") or request.path not in (
        reverse("api:openapi-json"),
        reverse("api:openapi-view"),
    ):
        return None
    return MethodNotAllowed(f"This address does not take {request.method}.", f"It takes: {_READING}.")


def _unstorable(request: HttpRequest) -> LatchkeyError | None:
    """NUL, which no database takes into a text; and more parameters than are looked at."""
    if "\0" in request.path:
        return NotFound("There is nothing at this address.")
    try:
        parameters = list(request.GET.lists())
    except TooManyFieldsSent:
        return BadRequest(
            "The request can't be read.", "It has too many parameters.", "Send those that are documented."
        )
    held = [name for name, values in parameters if any("\0" in text for text in (name, *values))]
    if not held:
        return None
    fields = {name.replace("\0", ""): "This holds a character that can't be sent (NUL)." for name in held}
    return ValidationFailed("A parameter can't be used.", fields=fields)


def _error(request: HttpRequest, response: HttpResponse) -> LatchkeyError:
    if response.status_code == 404:
        return NotFound("There is nothing at this address.", remedy="/api/v1/docs lists what there is.")
    if response.status_code == 405:
        allowed = _with_head(response.headers.get("Allow", ""))
        return MethodNotAllowed(f"This address does not take {request.method}.", f"It takes: {allowed}.")
    if response.status_code < 500:
        return BadRequest("The request can't be read.", response.reason_phrase)
    return InternalError("The platform met an error of its own.", remedy="Try again; its log says more.")
