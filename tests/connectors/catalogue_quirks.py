"""Which quirks of real token endpoints the catalogue's entries show: the classes, and who belongs to each.

    python -m tests.connectors.catalogue_quirks

prints the table. A class holds the connectors of which at least one method has the quirk.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors import ready_made
from connectors.oauth2.method import Method, names_in
from tests.connectors.catalogue_rendering import methods

STANDARD_PARAMETERS = {"grant_type", "scope", "client_id", "client_secret"}
CREDENTIALS = {"client_id", "client_secret"}


def _request(method: Method) -> dict[str, Any]:
    return method.definition.token_request.model_dump(by_alias=True, exclude_none=True)


def _authenticates(method: Method, *ways: str) -> bool:
    return method.definition.token_request.client_authentication in ways


def _holds(part: object, names: set[str]) -> bool:
    return not names.isdisjoint(names_in(str(part)))


def _parameters(method: Method) -> dict[str, Any]:
    """What goes in the body, or in the query where there is none: by name, JSON's outermost."""
    request = method.definition.token_request
    stated = request.parameters if isinstance(request.parameters, Mapping) else {}
    return {**(request.query or {}), **stated}


def _headers(method: Method) -> dict[str, str]:
    """Header fields of the token request that say more than what is wanted back."""
    stated = method.definition.token_request.headers or {}
    return {name: str(text) for name, text in stated.items() if name.lower() not in ("accept", "content-type")}


def _signs(method: Method) -> dict[str, str]:
    return {name.lower(): str(text) for name, text in (method.definition.api_request.headers or {}).items()}


def _token_path(method: Method) -> str:
    path = method.definition.token_response.access_token
    return method.by_key["token_key"].default if path == "{{token_key}}" else path


def _states_expiry(method: Method) -> bool:
    response = method.definition.token_response
    return bool(response.expires_in or response.expires_at)


def _asks_for_host(method: Method) -> bool:
    hosts = {*_host_names(method.definition.token_request.url), *_host_names(method.connector.base_url)}
    return any(method.by_key[name].is_typed_by_tenant and not method.by_key[name].options for name in hosts)


def _chooses_host(method: Method) -> bool:
    hosts = {*_host_names(method.definition.token_request.url), *_host_names(method.connector.base_url)}
    return any(method.by_key[name].options for name in hosts)


def _host_names(address: str) -> set[str]:
    host = re.match(r"https://([^/?]*)", address)
    opening = re.match(r"\{\{\s*([\w\-]+)\s*\}\}", address)
    return set(names_in(host[1])) if host else {opening[1]} if opening and opening[1] != "base_url" else set()


def _grant_types(method: Method) -> str:
    return method.by_key["grant_type"].default if "grant_type" in method.used else ""


QUIRKS: dict[str, Callable[[Method], bool]] = {
    "Basic, percent-encoded": lambda m: (
        _authenticates(m, "client_secret_basic") and m.definition.token_request.basic_encoding == "rfc6749"
    ),
    "Basic, as it stands (raw)": lambda m: m.definition.token_request.basic_encoding == "raw",
    "Basic of an odd make": lambda m: any("base64" in text for text in _headers(m).values()),
    "ID and secret in the body": lambda m: (
        _authenticates(m, "client_secret_post") and m.definition.token_request.body_format != "none"
    ),
    "ID and secret in the query": lambda m: (
        (_authenticates(m, "client_secret_post") and m.definition.token_request.body_format == "none")
        or _holds(m.definition.token_request.query, CREDENTIALS)
    ),
    "ID and secret in header fields": lambda m: (
        _authenticates(m, "none") and _holds(_headers(m), CREDENTIALS) and "Authorization" not in _headers(m)
    ),
    "ID and secret under other names": lambda m: any(
        _holds(text, CREDENTIALS) and name not in CREDENTIALS for name, text in _parameters(m).items()
    ),
    "private_key_jwt": lambda m: _authenticates(m, "private_key_jwt"),
    "client_secret_jwt": lambda m: _authenticates(m, "client_secret_jwt"),
    "the JWT is the grant (jwt-bearer)": lambda m: m.definition.token_request.is_jwt_grant,
    "algorithm other than RS256": lambda m: (
        m.definition.token_request.assertion is not None
        and m.definition.token_request.assertion.algorithm not in ("", "RS256")
    ),
    "client certificate (tls)": lambda m: m.definition.token_request.tls is not None,
    "DPoP": lambda m: bool(_request(m).get("dpop")),
    "steps before the token request": lambda m: bool(m.definition.model_dump().get("steps")),
    "GET": lambda m: m.definition.token_request.method == "GET",
    "POST without a body": lambda m: (
        m.definition.token_request.method == "POST" and m.definition.token_request.body_format == "none"
    ),
    "JSON body": lambda m: m.definition.token_request.body_format == "json",
    "nested JSON body": lambda m: any(isinstance(value, Mapping) for value in _parameters(m).values()),
    "parameters in the query": lambda m: bool(m.definition.token_request.query),
    "header fields of its own with the token request": lambda m: bool(_headers(m)),
    "a fresh value in each request": lambda m: "uuid()" in str(_request(m)) + str(_signs(m)),
    "audience or resource": lambda m: not {"audience", "resource"}.isdisjoint(_parameters(m)),
    "further parameters": lambda m: bool(_parameters(m).keys() - STANDARD_PARAMETERS - {"audience", "resource"}),
    "another grant_type": lambda m: _grant_types(m) not in ("", "client_credentials"),
    "a user's name and password besides": lambda m: "password" in m.by_key,
    "a further key besides ID and secret": lambda m: any(
        variable.secret and variable.key not in ("client_secret", "password", "private_key", "certificate")
        for variable in m.asked
    ),
    "scopes joined by commas": lambda m: 'join(",")' in str(_parameters(m)),
    "token inside of others": lambda m: "." in _token_path(m),
    "token under another name": lambda m: _token_path(m) not in ("access_token", "$") and ":" not in _token_path(m),
    "token in a header field of the answer": lambda m: _token_path(m).startswith("header:"),
    "token in a cookie": lambda m: _token_path(m).startswith("cookie:"),
    "token is the whole body": lambda m: _token_path(m) == "$",
    "answer in XML": lambda m: "xml" in str(_request(m).get("headers", {})).lower(),
    "lifetime under another name": lambda m: m.definition.token_response.expires_in not in ("", None, "expires_in"),
    "lifetime in milliseconds": lambda m: m.definition.token_response.expires_in_unit == "ms",
    "lifetime in minutes": lambda m: m.definition.token_response.expires_in_unit == "min",
    "expiry as an instant": lambda m: bool(m.definition.token_response.expires_at),
    "lifetime stated in documentation only": lambda m: (
        not _states_expiry(m) and m.definition.token_response.default_lifetime is not None
    ),
    "token without an expiry": lambda m: (
        not _states_expiry(m) and m.definition.token_response.default_lifetime is None
    ),
    "base URL from the answer": lambda m: "response." in m.connector.base_url,
    "fields of the answer kept": lambda m: bool(m.definition.token_response.kept),
    "error elsewhere than at `error`": lambda m: m.definition.token_response.error != "error",
    "the provider's own error codes": lambda m: (
        m.definition.token_response.errors.credentials + m.definition.token_response.errors.retry != []
    ),
    "API token with another word than Bearer": lambda m: (
        "access_token" in _signs(m).get("authorization", "") and "Bearer" not in _signs(m)["authorization"]
    ),
    "API token in a header field of its own": lambda m: any(
        _holds(text, {"access_token"}) for name, text in _signs(m).items() if name != "authorization"
    ),
    "API token in the query": lambda m: _holds(m.definition.api_request.query, {"access_token"}),
    "further header fields with API requests": lambda m: any(
        name not in ("authorization", "accept") and not _holds(text, {"access_token"})
        for name, text in _signs(m).items()
    ),
    "dead token told by a status other than 401": lambda m: m.definition.refresh.on_status != [401],
    "dead token told in the body": lambda m: bool(m.definition.refresh.on_body),
    "a new token ends the one before": lambda m: m.definition.refresh.invalidates_previous,
    "a budget of token requests": lambda m: m.definition.refresh.max_requests is not None,
    "a host that the tenant types": _asks_for_host,
    "a host or region that the tenant chooses": _chooses_host,
    "an address that the tenant types": lambda m: any(v.format == "url" and not v.options for v in m.asked),
    "several authentication methods": lambda m: len(m.connector.auth_methods) > 1,
    "a test request": lambda m: m.definition.test_request is not None,
}


def by_quirk() -> dict[str, list[str]]:
    """The connectors' keys of every class."""
    return {quirk: sorted(_shown_by(shows)) for quirk, shows in QUIRKS.items()}


def _shown_by(shows: Callable[[Method], bool]) -> Iterator[str]:
    keys = ready_made.keys()
    for key in keys:
        if any(shows(method) for method in methods(ready_made.entry(key))):
            yield key


def main() -> None:
    connectors = ready_made.keys()
    print(f"{len(connectors)} connectors\n\n| quirk | connectors | for example |\n|---|---|---|")
    for quirk, keys in by_quirk().items():
        print(f"| {quirk} | {len(keys)} | {', '.join(keys[:4])} |")


if __name__ == "__main__":
    main()
