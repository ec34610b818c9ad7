"""Whether what a definition sends is a request at all: method, headers, body and client authentication agree."""

import json
import re
from collections.abc import Iterator, Mapping

from connectors.oauth2.budgets import BudgetError, parse_budget
from connectors.oauth2.client_authentication import ADDS_PARAMETERS, BY_CERTIFICATE
from connectors.oauth2.definition import AuthMethod, TokenRequest
from connectors.oauth2.problems import Path, Problem
from connectors.oauth2.template_checks import keys_with_placeholders

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_HEADERS = ("host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade")


def check_wire(method: AuthMethod) -> Iterator[Problem]:
    for index, step in enumerate(method.steps):
        yield from _check_request(("steps", index), step)
    yield from _check_request(("token_request",), method.token_request)
    yield from _check_headers(("api_request", "headers"), method.api_request.headers)
    yield from _check_parameters(("api_request", "query"), method.api_request.query)
    if method.token_request.dpop:
        yield from _check_own_proof(("api_request", "headers"), method.api_request.headers)
    try:
        if method.refresh.max_requests is not None:
            parse_budget(method.refresh.max_requests)
    except BudgetError as error:
        yield Problem(("refresh", "max_requests"), str(error))


def _check_request(here: Path, request: TokenRequest) -> Iterator[Problem]:
    yield from _check_body(here, request)
    yield from _check_headers((*here, "headers"), request.headers)
    if request.dpop:
        yield from _check_own_proof((*here, "headers"), request.headers)
    yield from _check_authentication(here, request)
    yield from _check_parameters((*here, "query"), request.query)
    yield from _check_parameters((*here, "body"), request.parameters, named=request.body_format == "form")


def _check_own_proof(path: Path, fields: Mapping[str, str | None] | None) -> Iterator[Problem]:
    if any(name.lower() == "dpop" for name in fields or {}):
        yield Problem((*path, "DPoP"), "The header DPoP is made anew for each request.", "Remove it.")


def _check_parameters(path: Path, value: object, *, named: bool = True) -> Iterator[Problem]:
    """Parameters of a query or a form have a `named` each; to JSON an empty name is one like any other."""
    if named and isinstance(value, dict) and "" in value:
        yield Problem((*path, ""), "The parameter has no name.", "Write its name before the colon.")
    yield from keys_with_placeholders(path, value)
    yield from _check_encodable(path, value)


def _check_encodable(path: Path, value: object) -> Iterator[Problem]:
    """Half a character ("\\ud800") and numbers of thousands of digits are JSON, but nothing that can be sent."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        yield Problem(path, "This holds a number or a character that can't be sent.", "Write it as a plain text.")


def _check_body(here: Path, request: TokenRequest) -> Iterator[Problem]:
    path = (*here, "body")
    body = request.parameters
    if request.method == "GET" and request.body_format != "none":
        yield Problem(
            (*here, "body_format"),
            "A GET request has no body.",
            "Write body_format: none and put the parameters into `query`, or write method: POST.",
        )
    elif request.body_format == "none" and body:
        yield Problem(
            path, "There is a body, but body_format is none.", "Remove the body or choose form, json or text."
        )
    elif request.body_format == "text" and not isinstance(body, str):
        yield Problem(
            path, "With body_format text the body is one string.", 'Write for example body: "id={{client_id}}".'
        )
    elif request.body_format == "form":
        yield from _check_form(path, body)


def _check_form(path: Path, body: object) -> Iterator[Problem]:
    if body is None:
        return
    if not isinstance(body, dict):
        yield Problem(
            path, "A form's body is a mapping of names to values.", 'Write for example body: {scope: "{{scope}}"}.'
        )
        return
    for name, value in body.items():
        items = value if isinstance(value, list) else [value]
        if any(isinstance(item, dict | list) for item in items):
            yield Problem(
                (*path, name),
                "A form's value is a text, a number, true, false or a list of these.",
                "Write body_format: json to send nested values.",
            )


def _check_headers(path: Path, fields: Mapping[str, str | None] | None) -> Iterator[Problem]:
    seen: set[str] = set()
    for name, value in (fields or {}).items():
        if not _HEADER_NAME.fullmatch(name):
            yield Problem((*path, name), f"“{name}” is no name of a header field.", "Use letters, digits and hyphens.")
        elif name.lower() in _OWN_HEADERS:
            yield Problem((*path, name), f"{name} is set by the connection itself.", "Remove it.")
        if name.lower() in seen:
            yield Problem((*path, name), f"The header {name} is there twice; names ignore case.", "Remove one.")
        seen.add(name.lower())
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value or ""):
            yield Problem((*path, name), "The value holds a line break or control character.", "Write it in one line.")


def _check_authentication(here: Path, request: TokenRequest) -> Iterator[Problem]:
    stated = {name.lower() for name, value in (request.headers or {}).items() if value is not None}
    if request.client_authentication == "client_secret_basic" and "authorization" in stated:
        yield Problem(
            (*here, "headers", "Authorization"),
            "The Authorization header is there twice: client_secret_basic makes it too.",
            "Remove the header, or write client_authentication: none.",
        )
    if request.client_authentication not in ADDS_PARAMETERS and not request.is_jwt_grant:
        return
    takes = request.body_format in ("form", "none") or (
        request.body_format == "json" and isinstance(request.parameters, dict | None)
    )
    if takes:
        return
    if request.client_authentication == "client_secret_post":
        yield Problem(
            (*here, "client_authentication"),
            "client_secret_post has no place in this body.",
            "Write client_authentication: none and put {{client_id}} and {{client_secret}} into the body yourself, "
            "or write client_secret_basic.",
        )
    elif request.client_authentication in BY_CERTIFICATE and not request.is_jwt_grant:
        yield Problem(
            (*here, "client_authentication"),
            "The client ID, which goes beside the certificate, has no place in this body.",
            "Write client_authentication: none and put {{client_id}} into the body yourself; `tls` stays.",
        )
    else:
        yield Problem(
            (*here, "body_format"),
            "The assertion has no place in this body.",
            "Write body_format: form (or json with a mapping), or none to send it in the query.",
        )
