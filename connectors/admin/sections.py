"""A method's sections as form fields, and back: what was left alone on the page stays unsaid in the document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticUndefined

from connectors.admin import codecs
from connectors.admin.codecs import Codec
from connectors.admin.message_body import body_fields, content_type_row, read_body, read_headers
from connectors.models import AuthMethod
from connectors.oauth2 import definition
from connectors.oauth2.definition import Section
from connectors.oauth2.problems import Path

Document = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """One key of a section and the form field that edits it."""

    path: tuple[str, ...]
    field: str
    codec: Codec


REQUEST = (
    Part(("token_request", "method"), "request_method", codecs.PLAIN),
    Part(("token_request", "url"), "token_url", codecs.TEXT),
    Part(("token_request", "client_authentication"), "client_authentication", codecs.PLAIN),
    Part(("token_request", "basic_encoding"), "basic_encoding", codecs.PLAIN),
    Part(("token_request", "query"), "query", codecs.ROWS),
    Part(("token_request", "body_format"), "body_format", codecs.PLAIN),
    Part(("token_request", "assertion"), "assertion", codecs.JSON),
    Part(("token_request", "dpop"), "dpop", codecs.PLAIN),
)
TLS = (
    Part(("token_request", "tls", "certificate"), "tls_certificate", codecs.TEXT),
    Part(("token_request", "tls", "private_key"), "tls_private_key", codecs.TEXT),
)
RESPONSE = (
    Part(("token_response", "access_token"), "access_token_path", codecs.TEXT),
    Part(("token_response", "token_type"), "token_type_path", codecs.TEXT),
    Part(("token_response", "expires_in"), "expires_in_path", codecs.TEXT),
    Part(("token_response", "expires_in_unit"), "expires_in_unit", codecs.PLAIN),
    Part(("token_response", "expires_at"), "expires_at_path", codecs.TEXT),
    Part(("token_response", "default_lifetime"), "default_lifetime", codecs.PLAIN),
    Part(("token_response", "keep"), "keep", codecs.KEPT),
    Part(("token_response", "error"), "error_path", codecs.LINES),
    Part(("token_response", "error_description"), "error_description_path", codecs.LINES),
)
ERRORS = (
    Part(("token_response", "errors", "credentials"), "credentials_codes", codecs.CODES),
    Part(("token_response", "errors", "retry"), "retry_codes", codecs.CODES),
)
API = (
    Part(("api_request", "headers"), "api_headers", codecs.ROWS),
    Part(("api_request", "query"), "api_query", codecs.ROWS),
)
REFRESH = (
    Part(("refresh", "early"), "early", codecs.PLAIN),
    Part(("refresh", "on_status"), "on_status", codecs.NUMBERS),
    Part(("refresh", "on_body"), "on_body", codecs.CONDITIONS),
    Part(("refresh", "invalidates_previous"), "invalidates_previous", codecs.PLAIN),
    Part(("refresh", "max_requests"), "max_requests", codecs.OPTIONAL),
)
TEST = (
    Part(("test_request", "method"), "test_method", codecs.PLAIN),
    Part(("test_request", "url"), "test_url", codecs.TEXT),
    Part(("test_request", "expect_status"), "expect_status", codecs.NUMBERS),
)
PARTS = (*REQUEST, *TLS, *RESPONSE, *ERRORS, *API, *REFRESH, *TEST)
_MODELS: dict[str, type[Section]] = {
    "token_request": definition.TokenRequest,
    "token_response": definition.TokenResponse,
    "api_request": definition.ApiRequest,
    "refresh": definition.Refresh,
    "test_request": definition.TestRequest,
    "errors": definition.ErrorRules,
    "tls": definition.Tls,
}
_FIELD_OF: dict[Path, str] = {
    **{part.path: part.field for part in PARTS},
    ("steps",): "steps_text",
    ("token_request", "tls"): "tls_certificate",
    ("token_request", "headers"): "headers",
    ("token_request", "body"): "body",
}


def field_of(path: Path) -> tuple[str, str]:
    """The form field that edits what stands at `path` below a method, and the row of it; two empty texts if none."""
    for length in range(len(path), 0, -1):
        if field := _FIELD_OF.get(path[:length]):
            return field, _below(path[:length], path[length:])
    return "", ""


def _below(section: Path, rest: Path) -> str:
    if section == ("steps",) and rest:
        return ", ".join([f"Step {int(rest[0]) + 1}", *([".".join(map(str, rest[1:]))] if rest[1:] else [])])
    return ".".join(map(str, rest))


def fields_of(method: AuthMethod) -> dict[str, Any]:
    """What the form fields show of a method."""
    request = method.token_request or {}
    return {
        **{part.field: part.codec.show(_in_force(_section(method, part), part.path)) for part in PARTS},
        "api_headers": codecs.ROWS.show(_in_force(_api_section(method), ("api_request", "headers"))),
        "steps_text": codecs.STEPS.show(method.steps),
        **body_fields(request),
        "headers": [*content_type_row(request), *codecs.ROWS.show(request.get("headers"))],
    }


def documents_of(method: AuthMethod, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The sections as what was typed makes of what the method states: by name of the section."""
    request = _restated(method.token_request, REQUEST, typed) or {}
    headers = read_headers(typed["headers"], method.token_request or {}, typed["body_format"])
    body = read_body(typed, method.token_request or {})
    response = method.token_response or {}
    errors = _restated(response.get("errors"), ERRORS, typed)
    return {
        "steps": _steps(method.steps, typed["steps_text"]),
        "token_request": _ordered({**request, **_tls(method, typed), **headers, **body}, "token_request"),
        "token_response": _response(_restated(method.token_response, RESPONSE, typed), errors),
        "api_request": _api_request(method, typed),
        "refresh": _restated(method.refresh, REFRESH, typed),
        "test_request": _restated(method.test_request, TEST, typed) if typed["test_url"].strip() else None,
    }


def _api_section(method: AuthMethod) -> Document | None:
    """The section, with the headers that go with bound tokens where it states none."""
    is_bound = (method.token_request or {}).get("dpop") is True
    return {"headers": dict(definition.DPOP_HEADERS), **(method.api_request or {})} if is_bound else method.api_request


def _api_request(method: AuthMethod, typed: Mapping[str, Any]) -> Document | None:
    shown = _api_section(method)
    after = _restated(shown, API, typed)
    if shown == method.api_request or after is None or "headers" in (method.api_request or {}):
        return after
    # What was only supplied stays unsaid for as long as it was left alone.
    if shown and after.get("headers") == shown["headers"]:
        del after["headers"]
    return after or (None if method.api_request is None else {})


def _steps(before: Any, typed: str) -> Any:
    """The steps as typed, each with its keys in canonical order; those that no step has stay, to be refused."""
    if codecs.STEPS.is_unchanged(typed, before):
        return before
    steps = codecs.STEPS.read(typed, before)
    if not isinstance(steps, list):
        return steps
    order = definition.Step.model_fields
    return [
        {**{key: step[key] for key in order if key in step}, **step} if isinstance(step, dict) else step
        for step in steps
    ]


def _tls(method: AuthMethod, typed: Mapping[str, Any]) -> Document:
    """The certificate and its key; both fields empty take it away."""
    request = method.token_request or {}
    before = request.get("tls")
    if any(typed[part.field].strip() for part in TLS):
        return {"tls": _restated(before, TLS, typed)}
    return {"tls": None} if "tls" in request and before is None else {}


def _response(response: Document | None, errors: Document | None) -> Document | None:
    return response if errors is None else _ordered({**(response or {}), "errors": errors}, "token_response")


def _restated(before: Document | None, parts: tuple[Part, ...], typed: Mapping[str, Any]) -> Document | None:
    """The section with what was typed. None where it was not there before and nothing says that it should be."""
    after: Document = {}
    for part in parts:
        key = part.path[-1]
        value = _in_force(before, part.path)
        if not part.codec.is_unchanged(typed[part.field], value):
            after[key] = part.codec.read(typed[part.field], value)
        elif key in (before or {}):
            after[key] = value
    return None if before is None and not after else _ordered(after, parts[0].path[-2])


def _section(method: AuthMethod, part: Part) -> Document | None:
    section: Document | None = getattr(method, part.path[0])
    return (section or {}).get(part.path[1]) if len(part.path) > 2 else section


def _in_force(section: Document | None, path: tuple[str, ...]) -> Any:
    """The value that is stated, else the one that the type supplies."""
    if section and path[-1] in section:
        return section[path[-1]]
    default = _MODELS[path[-2]].model_fields[path[-1]].get_default(call_default_factory=True)
    return "" if default is PydanticUndefined else default


def _ordered(section: Document, name: str) -> Document:
    """The keys in canonical order."""
    return {key: section[key] for key in _MODELS[name].model_fields if key in section}
