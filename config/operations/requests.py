"""An id for every request, and a line in the log and a count for every call of the API."""

import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from config.log_context import context
from config.operations.counts import API_REQUESTS, counts
from integrations.api.middleware import PREFIX
from integrations.models import ApiKey

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def note_requests(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Take a caller's `X-Request-ID` where it is sane, else make one; name it in the answer and in every line."""

    def answer(request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if _SANE.fullmatch(given) else uuid4().hex
        vars(request)["request_id"] = request_id  # for what Django logs when we are through
        before = context.set({"request_id": request_id})
        start = time.perf_counter()
        try:
            response = get_response(request)
            response.headers[HEADER] = request_id
            if request.path.startswith(PREFIX):
                _note(request, response, time.perf_counter() - start)
            return response
        finally:
            context.reset(before)

    return answer


def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    match = request.resolver_match
    # The template: what stands in its place may name a tenant, and there is no end of addresses.
    route = f"/{match.route}" if match is not None else "none"
    method = request.method if request.method in _METHODS else "other"
    counts.count(API_REQUESTS, method, route, str(response.status_code))
    key = getattr(request, "auth", None)
    said = {"method": method, "route": route, "status": response.status_code, "ms": round(seconds * 1000, 1)}
    logger.info("API call", extra={**said, **({"key": key.prefix} if isinstance(key, ApiKey) else {})})
