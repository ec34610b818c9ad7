"""The HTTP API as a whole: its calls, its document, and what becomes of errors."""

import logging
import re
import traceback
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from integrations.api import connectors, events, instances, next_secrets, sessions, tokens
from integrations.api.errors import BadRequest, InternalError, NotFound, PlatformUnavailable
from integrations.api.json_bodies import StrictParser
from integrations.api.problems import STATUS, Problem, problem

logger = logging.getLogger(__name__)

_SENTENCES = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such field.",
    "string_pattern_mismatch": "This holds a character, such as a line break, that can't stand there.",
    "uuid_parsing": "This must be an id, a UUID.",
    "uuid_type": "This must be an id, a UUID.",
}
# A place as pydantic names it, of one of several types that a field may have: `instances.list[uuid].0`.
_OF_A_TYPE = re.compile(r"(list|dict)\[.*\]")


class Api(NinjaAPI):
    """django-ninja's, with a document that says what responses really look like."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**kwargs)
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema(mode="serialization")
        for operations in document["paths"].values():
            for operation in operations.values():
                _mend(operation)
        return document


def _mend(operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        # A parameter is left out; there is no way to send null.
        schema = parameter["schema"]
        kinds = [kind for kind in schema.pop("anyOf", ()) if kind != {"type": "null"}]
        for kind in kinds[:1]:
            schema.update(kind)
        if schema.get("default", ...) is None:
            del schema["default"]
    operation["description"] = f"{operation['description']}\n\nScope: `{operation['x-scope']}`."


api = Api(
    title="Latchkey",
    version="1",
    description="Connect tenants and read their tokens. `docs/api.md` explains it with examples. Errors are problem "
    "details (RFC 9457): `code` says what happened. Times are RFC 3339 in UTC.",
    urls_namespace="api",
    parser=StrictParser(),
)
for module in (tokens, sessions, instances, next_secrets, events, connectors):
    api.add_router("", module.router)


@api.exception_handler(LatchkeyError)
def say_what_happened(request: HttpRequest, error: LatchkeyError) -> HttpResponse:
    """An error that says what happened in words of its own."""
    if STATUS.get(error.code, 500) == 500:
        logger.error("An API call failed (%s): %s", error.code, error.what)
    return problem(error)


@api.exception_handler(ValidationError)
def say_what_is_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A parameter or a body that isn't as declared. What was sent is not repeated."""
    fields = {_place(one["loc"]): _sentence(one) for one in error.errors}
    # Of several types the one counts that was meant: what is wrong further in.
    told = {place: words for place, words in fields.items() if not any(one.startswith(f"{place}.") for one in fields)}
    return problem(ValidationFailed("The request is not as this call expects it.", fields=told))


@api.exception_handler(HttpError)
def say_what_is_unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What django-ninja refuses by itself: a body that isn't JSON."""
    return problem(
        BadRequest("The request's body can't be read.", "It must be JSON, in UTF-8, no name twice in an object.")
    )


@api.exception_handler(RequestDataTooBig)
def say_that_it_is_too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """A body beyond what the platform reads."""
    limit = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes"
    return problem(BadRequest("The request's body is too large.", f"It may have up to {limit}.", "Send less at once."))


@api.exception_handler(Http404)
def say_that_nothing_is_there(request: HttpRequest, error: Http404) -> HttpResponse:
    """An address without anything."""
    return problem(NotFound("There is nothing at this address.", remedy="/api/v1/docs lists what there is."))


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def say_that_the_database_is_away(request: HttpRequest, error: Exception) -> HttpResponse:
    """The database can't be reached, is starting, or has no connection or lock to spare. None of it is the caller's."""
    logger.error("An API call failed for want of the database: %s at %s", type(error).__name__, _place_of(error))
    return problem(PlatformUnavailable("The platform can't reach its database.", remedy="Try again in a few seconds."))


@api.exception_handler(Exception)
def own_up(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours. Its text may quote a value: only its kind and place are logged."""
    logger.error("An API call failed in an unforeseen way: %s at %s", type(error).__name__, _place_of(error))
    return problem(InternalError("The platform met an error of its own.", remedy="Try again; its log says more."))


def _place_of(error: Exception) -> str:
    """Where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _sentence(one: dict[str, Any]) -> str:
    if one["type"] == "string_pattern_mismatch" and one["ctx"]["pattern"] == sessions.TENANT_KEY:
        return "Write letters, digits and . _ ~ - only, the first and the last of them a letter or a digit."
    return _SENTENCES.get(one["type"], f"{one['msg']}.")


def _place(location: tuple[str | int, ...]) -> str:
    """As the caller knows it: a body's parts without our name for the body."""
    inner = location[2:] if location[0] == "body" else location[1:]
    return ".".join(part for part in map(str, inner) if not _OF_A_TYPE.fullmatch(part)) or str(location[0])
