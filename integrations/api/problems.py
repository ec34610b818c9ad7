"""Errors as problem details (RFC 9457) with a stable `code`."""

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse
from ninja import Schema
from pydantic import Field

from connectors.oauth2.errors import LatchkeyError
from integrations.api.errors import Forbidden, Unauthorized
from integrations.retrying import wait_for

CONTENT_TYPE = "application/problem+json"

STATUS = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "instance_not_found": 404,
    "method_not_allowed": 405,
    "several_instances": 409,
    "not_connected": 409,
    "name_taken": 409,
    "idempotency_key_in_use": 409,
    "session_in_use": 409,
    "session_expired": 410,
    "credentials_refused": 422,
    "response_not_understood": 422,
    "address_refused": 422,
    "validation_failed": 422,
    "idempotency_key_reused": 422,
    "mint_budget_spent": 429,
    "internal_error": 500,
    "secret_unreadable": 500,
    "provider_unavailable": 503,
    "platform_unavailable": 503,
}


class Problem(Schema):
    """What went wrong (RFC 9457)."""

    type: str = Field(default="about:blank", description="`code` tells problems apart.")
    title: str = Field(description="The HTTP status in words.")
    status: int
    detail: str = Field(description="What happened, why, and what to do next, for a person to read.")
    code: str = Field(description="What happened, for a program to read. It never changes.")
    fields: dict[str, str] = Field({}, description="With `validation_failed`: what is wrong with each value, by name.")
    names: list[str] = Field([], description="With `several_instances`: the names that tell them apart.")
    components: dict[str, Any] = Field(
        {}, description="When a session can't be committed: the components as `GET /sessions/{id}` shows them."
    )


def problem(
    error: LatchkeyError,
    *,
    status: int | None = None,
    components: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> JsonResponse:
    """The response that tells of an error; `status` where it isn't the code's own."""
    status = status or STATUS.get(error.code, 500)
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=str(error),
        code=error.code,
        fields=getattr(error, "fields", {}),
        names=list(getattr(error, "names", ())),
        components=components or {},
    )
    return JsonResponse(
        body.model_dump(), status=status, content_type=CONTENT_TYPE, headers={**_headers(error), **(headers or {})}
    )


def _headers(error: LatchkeyError) -> dict[str, str]:
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, Forbidden):
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}  # RFC 6750 section 3.1
    wait = wait_for([error])
    return {} if wait is None else {"Retry-After": str(max(1, math.ceil(wait)))}


def declared(*codes: str, within_422: Sequence[str] = ()) -> dict[int, dict[str, Any]]:
    """OpenAPI's `responses` for calls that may be answered with these codes, some with 422 instead of their status."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(STATUS[code], []).append(code)
    by_status.setdefault(422, []).extend(within_422)
    may_wait = {429, 503, *([422] if within_422 else [])}
    return {status: _response(status, by_status[status], status in may_wait) for status in sorted(by_status)}


def _response(status: int, codes: list[str], may_wait: bool) -> dict[str, Any]:
    names = ", ".join(f"`{code}`" for code in codes)
    response: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: {names}",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if may_wait:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    if status in (401, 403):
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response
