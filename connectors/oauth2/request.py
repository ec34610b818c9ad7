"""Definition and values → the requests to send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from connectors.oauth2.certificates import ClientCertificate
from connectors.oauth2.client_authentication import Proof
from connectors.oauth2.definition import TokenRequest
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.hosts import normal_origin
from connectors.oauth2.http import Headers, HttpRequest
from connectors.oauth2.method import Method
from connectors.oauth2.mutual_tls import check_valid, presented
from connectors.oauth2.parameters import (
    CONTENT_TYPES,
    Pairs,
    add_query,
    encode_form,
    encode_json,
    render_headers,
    render_json,
    render_pairs,
)
from connectors.oauth2.templates import Rendering, parse
from connectors.oauth2.values import check_complete

USER_AGENT = "Latchkey"
_SUPPLIED = (
    "grant_type",
    "scope",
    "client_id",
    "client_secret",
    "assertion",
    "client_assertion",
    "client_assertion_type",
)


def make_token_request(method: Method, rendering: Rendering) -> HttpRequest:
    """The request that buys a token.

    Raises `ValidationFailed` where a required value is missing or a value can't stand where the definition puts it.
    """
    return make_request(method, len(method.definition.steps), rendering)


def make_request(method: Method, index: int, rendering: Rendering) -> HttpRequest:
    """One of `method.requests`: a step, or behind them the token request. Raises as `make_token_request` does."""
    check_complete(method, rendering)
    request = method.requests[index][1]
    if method.reads_base_url[index]:
        rendering = with_base_url(method, rendering)
    token_url = method.request_urls[index].render(rendering)
    check_valid(request, rendering)
    proof = method.authentications[index].prove(rendering, token_url)
    query = render_pairs(request.query, rendering)
    if request.body_format == "none":
        # A parameter may not be sent twice (RFC 6749 section 3.2), and the address may have a query of its own.
        own = dict.fromkeys(name for name, _ in parse_qsl(urlsplit(token_url).query, keep_blank_values=True))
        query += _added(proof, {**own, **(request.query or {})})
    return HttpRequest(
        method=request.method,
        url=add_query(token_url, query),
        headers=_token_headers(request, proof, rendering),
        body=_body(request, proof, rendering),
        certificate=presented(request, rendering),
    )


def endpoint_of(method: Method, rendering: Rendering) -> str:
    """Origin of the token endpoint, as `normal_origin` has it; empty where that can't be said beforehand.

    Where only a step's answer names it: those of the last request that they can be said of.
    """
    for index in reversed(range(len(method.requests))):
        if origin := origin_of(method, index, rendering):
            return origin
    return ""


def origin_of(method: Method, index: int, rendering: Rendering) -> str:
    """Where one of `method.requests` goes, as `normal_origin` has it; empty while that can't be said."""
    url = method.request_urls[index]
    if url.fixed_origin:
        return url.fixed_origin
    known = with_base_url(method, rendering)
    if not url.host_names <= known.values.keys():
        return ""  # it comes with another answer
    try:
        parts = urlsplit(url.render(known))
    except (LatchkeyError, ValueError):  # a value is missing
        return ""
    return normal_origin(f"{parts.scheme}://{parts.netloc}")


def _added(proof: Proof, stated: Mapping[str, object] | None) -> Pairs:
    """The authentication's parameters, save those that the document states itself (or takes away with null)."""
    return [(key, value) for key, value in proof.parameters.items() if key not in (stated or {})]


def _body(request: TokenRequest, proof: Proof, rendering: Rendering) -> bytes | None:
    parameters = request.parameters
    if request.body_format == "none":
        return None
    if request.body_format == "text":
        return parse(parameters).render(rendering).encode() if isinstance(parameters, str) else b""
    if request.body_format == "json":
        return encode_json(_json_body(parameters, proof, rendering))
    fields = parameters if isinstance(parameters, dict) else {}
    return encode_form(render_pairs(fields, rendering) + _added(proof, fields))


def _json_body(parameters: JsonValue, proof: Proof, rendering: Rendering) -> JsonValue:
    if parameters is not None and not isinstance(parameters, dict):
        return render_json(parameters, rendering)
    stated = parameters or {}
    # At the top, null takes away what is otherwise supplied; anywhere else it is a JSON null like any other.
    taken_away = {name for name in _SUPPLIED if name in stated and stated[name] is None}
    rendered = render_json({name: value for name, value in stated.items() if name not in taken_away}, rendering)
    return {**rendered, **dict(_added(proof, stated))} if isinstance(rendered, dict) else rendered


def _token_headers(request: TokenRequest, proof: Proof, rendering: Rendering) -> Headers:
    if not request.headers:
        supplied = _supplied(request.body_format)
        return Headers((*supplied, *proof.headers.items()) if proof.headers else supplied)
    stated = {name.lower() for name in request.headers}
    kept = tuple((name, value) for name, value in _supplied(request.body_format) if name.lower() not in stated)
    return Headers(kept + render_headers(request.headers, rendering).fields + tuple(proof.headers.items()))


@lru_cache(maxsize=8)
def _supplied(body_format: str) -> tuple[tuple[str, str], ...]:
    """The fields that go with every token request, unless the definition says otherwise."""
    usual = (("Accept", "application/json, */*;q=0.8"), ("User-Agent", USER_AGENT))
    return usual if body_format == "none" else (*usual, ("Content-Type", CONTENT_TYPES[body_format]))


@dataclass  # not frozen: one is made for every request and read
class Bought:
    """What was bought: what API templates may use besides the variables. Its repr shows no token."""

    access_token: str = field(repr=False)
    token_type: str = field(repr=False)
    expires_at: datetime | None
    kept: Mapping[str, str] = field(repr=False)
    dpop_key: str = field(default="", repr=False)  # the private JWK that the token is bound to, if it is
    # What steps kept, by the name that templates use, such as `login.session`.
    steps: Mapping[str, str] = field(default_factory=dict, repr=False, kw_only=True)

    def names(self) -> dict[str, str]:
        return {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_at": "" if self.expires_at is None else self.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **{f"response.{name}": value for name, value in self.kept.items()},
            **self.steps,
        }


@dataclass(frozen=True)
class Signature:
    """What an API request carries and presents, and where the API lives (no trailing slash; empty if nothing says)."""

    headers: dict[str, str] = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(repr=False)
    base_url: str = field(repr=False)
    certificate: ClientCertificate | None = field(default=None, repr=False)


def api_signature(method: Method, rendering: Rendering, bought: Bought) -> Signature:
    """How API requests are signed with a token. Raises `ValidationFailed`, `ResponseNotUnderstood`."""
    rendering = with_base_url(method, rendering.with_values(bought.names()))
    api = method.definition.api_request
    return Signature(
        headers=dict(render_headers(method.api_headers, rendering).fields),
        query=tuple(render_pairs(api.query, rendering)),
        base_url=rendering.values.get("base_url", ""),
        certificate=presented(method.definition.token_request, rendering),
    )


def make_test_request(method: Method, rendering: Rendering, bought: Bought) -> HttpRequest | None:
    """The harmless API request that shows whether a token works, if the definition has one."""
    test = method.definition.test_request
    if test is None or method.test_url is None:
        return None
    rendering = with_base_url(method, rendering.with_values(bought.names()))
    signature = api_signature(method, rendering, bought)
    headers = {"Accept": "application/json, */*;q=0.8", "User-Agent": USER_AGENT, **signature.headers}
    return HttpRequest(
        method=test.method,
        url=add_query(method.test_url.render(rendering), signature.query),
        headers=Headers(tuple(headers.items())),
        body=b"" if test.method == "POST" else None,
        certificate=signature.certificate,
    )


def with_base_url(method: Method, rendering: Rendering) -> Rendering:
    """The rendering with `base_url`, where what it is made of is known."""
    if method.base_url is None or not method.base_url_names <= frozenset(rendering.values):
        return rendering
    return rendering.with_values({"base_url": method.base_url.render(rendering).rstrip("/")})
