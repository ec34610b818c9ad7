"""An exchange's requests as a person reads them, before there is any value: names stand where values will."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.oauth2.definition import Step, TokenRequest
from connectors.oauth2.method import Method
from connectors.oauth2.parameters import CONTENT_TYPES
from connectors.oauth2.templates import parse

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")
_SOLE = re.compile(rf"\A{_PLACEHOLDER.pattern}\Z")


def sketch(method: Method) -> str:
    """Each request's line, headers and body, in their order. [Client ID] stands for a value, a secret's too.

    What a step keeps stands as its placeholder: {{login.session}}.
    """
    steps = method.definition.steps
    token_request = _request(method, method.definition.token_request)
    if not steps:
        return token_request
    parts = [f"{_titled(step)}\n{_request(method, step)}" for step in steps]
    return "\n\n".join([*parts, f"# Token request\n{token_request}"])


def _titled(step: Step) -> str:
    kept = ", ".join(f"{{{{{name}}}}}" for name in step.kept_names)
    return f"# Step {step.key}, whose answer gives {kept}" if kept else f"# Step {step.key}"


def _request(method: Method, request: TokenRequest) -> str:
    added = list(_credentials(method, request)) if request.body_format == "none" else []
    query = [*_pairs(method, request.query), *added]
    url = _named(method, request.url)
    lines = [
        f"{request.method} {url}",
        *(f"  {'&' if index or '?' in url else '?'}{pair}" for index, pair in enumerate(query)),
    ]
    lines += [f"{name}: {value}" for name, value in _headers(method, request)]
    body = list(_body(method, request))
    lines += ["(over TLS with the client certificate)"] if request.tls is not None else []
    return "\n".join([*lines, *([""] if body else []), *body])


def _named(method: Method, text: str) -> str:
    """The text with defaults where they are plain texts, and variables' names where they aren't."""

    def name(found: re.Match[str]) -> str:
        variable = method.by_key.get(found[1])
        if variable is None:
            return found[0]
        plain = variable.default and not variable.secret and parse(variable.default).is_literal
        return variable.default if plain else f"[{variable.title}]"

    return _PLACEHOLDER.sub(name, text)


def _value(method: Method, value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    sole = _SOLE.match(value)
    variable = method.by_key.get(sole[1]) if sole else None
    may_be_empty = variable is not None and not variable.required and not variable.default
    return _named(method, value) + (" (left out when empty)" if may_be_empty else "")


def _pairs(method: Method, parameters: Mapping[str, Any] | None) -> Iterator[str]:
    for name, value in (parameters or {}).items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield f"{name}={_value(method, one)}"


def _headers(method: Method, request: TokenRequest) -> Iterator[tuple[str, str]]:
    stated = {name.lower() for name in request.headers or {}}
    if request.client_authentication == "client_secret_basic":
        yield "Authorization", _named(method, "Basic Base64 of {{client_id}}:{{client_secret}}")
    if request.body_format in CONTENT_TYPES and "content-type" not in stated:
        yield "Content-Type", CONTENT_TYPES[request.body_format]
    for name, value in (request.headers or {}).items():
        if value is not None:
            yield name, _value(method, value)
    if request.dpop:
        yield "DPoP", "[a proof signed anew each time]"


def _credentials(method: Method, request: TokenRequest) -> Iterator[str]:
    """The parameters that the client authentication adds, save those that the document states itself."""
    stated = request.query if request.body_format == "none" else request.parameters
    for name, value in _added(method, request).items():
        if not isinstance(stated, Mapping) or name not in stated:
            yield f"{name}={value}"


def _added(method: Method, request: TokenRequest) -> dict[str, str]:
    if request.client_authentication == "client_secret_post":
        return {name: _named(method, f"{{{{{name}}}}}") for name in ("client_id", "client_secret")}
    added = {}
    if request.client_authentication in ("tls_client_auth", "self_signed_tls_client_auth"):
        added["client_id"] = _named(method, "{{client_id}}")
    if request.client_authentication in ("client_secret_jwt", "private_key_jwt") and not request.is_jwt_grant:
        added["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        added["client_assertion"] = "[a JWT signed anew each time]"
    if request.is_jwt_grant:
        added["assertion"] = "[a JWT signed anew each time]"
    return added


def _body(method: Method, request: TokenRequest) -> Iterator[str]:
    parameters = request.parameters
    if request.body_format == "none":
        return
    if request.body_format == "text":
        yield _named(method, str(parameters or ""))
    elif request.body_format == "json":
        yield _named(method, json.dumps(parameters or {}, indent=2, ensure_ascii=False))
        yield from (f"and {pair}" for pair in _credentials(method, request))
    else:
        yield from _pairs(method, parameters if isinstance(parameters, Mapping) else {})
        yield from _credentials(method, request)
