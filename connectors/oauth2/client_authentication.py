"""How a client shows who it is at the token endpoint (RFC 6749 section 2.3): each way is a small value."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from connectors.oauth2.assertions import assertion_of, make_assertion, names_of_defaults
from connectors.oauth2.definition import Assertion, ClientAuthentication, TokenRequest
from connectors.oauth2.templates import Rendering

CLIENT_VARIABLES: dict[ClientAuthentication, tuple[str, ...]] = {
    "client_secret_basic": ("client_id", "client_secret"),
    "client_secret_post": ("client_id", "client_secret"),
    "client_secret_jwt": (),  # what an assertion uses, `names_of_defaults` says
    "private_key_jwt": (),
    "tls_client_auth": ("client_id",),
    "self_signed_tls_client_auth": ("client_id",),
    "none": (),
}
BY_JWT: tuple[ClientAuthentication, ...] = ("client_secret_jwt", "private_key_jwt")
BY_CERTIFICATE: tuple[ClientAuthentication, ...] = ("tls_client_auth", "self_signed_tls_client_auth")
ADDS_PARAMETERS: tuple[ClientAuthentication, ...] = (
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    *BY_CERTIFICATE,
)
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def names_used(request: TokenRequest) -> set[str]:
    """The variables that the client authentication and the assertion use by themselves."""
    names = set(CLIENT_VARIABLES[request.client_authentication])
    if request.client_authentication in ADDS_PARAMETERS:
        names -= _stated(request, names)
    return {*names, *names_of_defaults(request)}


def _stated(request: TokenRequest, names: set[str]) -> set[str]:
    """Which of `names` the document itself states, or takes away, where they would be added as parameters."""
    if request.body_format == "none":
        return {name for name in names if name in (request.query or {}) or re.search(rf"[?&]{name}=", request.url)}
    return {name for name in names if isinstance(request.parameters, dict) and name in request.parameters}


@dataclass(slots=True)  # not frozen: one is made for every request
class Proof:
    """What a request carries besides: header fields and parameters (of the body or, without one, the query)."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    parameters: dict[str, str] = field(default_factory=dict, repr=False)


class Authentication(Protocol):
    def prove(self, rendering: Rendering, token_url: str) -> Proof:
        """What the request to `token_url` (as rendered) carries. Raises `ValidationFailed`."""
        ...


@dataclass(frozen=True)
class ClientSecretBasic:
    encoding: str

    def prove(self, rendering: Rendering, token_url: str) -> Proof:
        client_id, client_secret = (rendering.values.get(name, "") for name in ("client_id", "client_secret"))
        if self.encoding == "rfc6749":
            # Both parts are encoded before they are joined (RFC 6749 section 2.3.1); without that, an id or a secret
            # that holds ":" or "%" is read back wrongly. A space goes as %20, not "+": servers that form-decode and
            # servers that only percent-decode both read it back. Those that decode nothing need `raw`.
            client_id, client_secret = quote(client_id, safe=""), quote(client_secret, safe="")
        pair = f"{client_id}:{client_secret}".encode()
        return Proof(headers={"Authorization": "Basic " + b64encode(pair).decode()})


@dataclass(frozen=True)
class Parameters:
    """These variables, as parameters: id and secret, or the id alone beside a certificate (RFC 8705 section 2)."""

    names: tuple[str, ...]

    def prove(self, rendering: Rendering, token_url: str) -> Proof:
        return Proof(parameters={name: text for name in self.names if (text := rendering.values.get(name, ""))})


@dataclass(frozen=True)
class NoAuthentication:
    """The document places the credentials itself."""

    def prove(self, rendering: Rendering, token_url: str) -> Proof:
        return Proof()


@dataclass(frozen=True)
class ClientAssertion:
    """A JWT instead of a secret (RFC 7523 section 2.2)."""

    assertion: Assertion

    def prove(self, rendering: Rendering, token_url: str) -> Proof:
        jwt = make_assertion(self.assertion, rendering, token_url)
        return Proof(parameters={"client_assertion_type": _JWT_BEARER, "client_assertion": jwt})


@dataclass(frozen=True)
class AssertionGrant:
    """A JWT that is the grant (RFC 7523 section 2.1), beside whatever authenticates the client."""

    assertion: Assertion
    client: Authentication

    def prove(self, rendering: Rendering, token_url: str) -> Proof:
        proof = self.client.prove(rendering, token_url)
        jwt = make_assertion(self.assertion, rendering, token_url)
        return Proof(proof.headers, {**proof.parameters, "assertion": jwt})


def authentication(request: TokenRequest) -> Authentication:
    assertion = assertion_of(request)
    if assertion is not None and request.is_jwt_grant:
        return AssertionGrant(assertion, _authentication(request, None))
    return _authentication(request, assertion)


def _authentication(request: TokenRequest, assertion: Assertion | None) -> Authentication:
    if assertion is not None:
        return ClientAssertion(assertion)
    if request.client_authentication == "client_secret_basic":
        return ClientSecretBasic(request.basic_encoding)
    if request.client_authentication == "client_secret_post" or request.client_authentication in BY_CERTIFICATE:
        return Parameters(CLIENT_VARIABLES[request.client_authentication])
    return NoAuthentication()
