"""How a client shows who it is at the token endpoint (RFC 6749 section 2.3): each way is a small value."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from connectors.oauth2.definition import ClientAuthentication, TokenRequest
from connectors.oauth2.templates import Rendering

CLIENT_VARIABLES: dict[ClientAuthentication, tuple[str, ...]] = {
    "client_secret_basic": ("client_id", "client_secret"),
    "client_secret_post": ("client_id", "client_secret"),
    "none": (),
}


@dataclass(frozen=True)
class Proof:
    """What a request carries besides: header fields and parameters (of the body or, without one, the query)."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    parameters: dict[str, str] = field(default_factory=dict, repr=False)


class Authentication(Protocol):
    def prove(self, rendering: Rendering) -> Proof: ...


@dataclass(frozen=True)
class ClientSecretBasic:
    encoding: str

    def prove(self, rendering: Rendering) -> Proof:
        client_id, client_secret = (rendering.values.get(name, "") for name in ("client_id", "client_secret"))
        if self.encoding == "rfc6749":
            # Both parts are encoded before they are joined (RFC 6749 section 2.3.1); without that, an id or a secret
            # that holds ":" or "%" is read back wrongly. A space goes as %20, not "+": servers that form-decode and
            # servers that only percent-decode both read it back. Those that decode nothing need `raw`.
            client_id, client_secret = quote(client_id, safe=""), quote(client_secret, safe="")
        pair = f"{client_id}:{client_secret}".encode()
        return Proof(headers={"Authorization": "Basic " + b64encode(pair).decode()})


@dataclass(frozen=True)
class ClientSecretPost:
    def prove(self, rendering: Rendering) -> Proof:
        names = CLIENT_VARIABLES["client_secret_post"]
        return Proof(parameters={name: text for name in names if (text := rendering.values.get(name, ""))})


@dataclass(frozen=True)
class NoAuthentication:
    """The document places the credentials itself."""

    def prove(self, rendering: Rendering) -> Proof:
        return Proof()


def authentication(request: TokenRequest) -> Authentication:
    if request.client_authentication == "client_secret_basic":
        return ClientSecretBasic(request.basic_encoding)
    if request.client_authentication == "client_secret_post":
        return ClientSecretPost()
    return NoAuthentication()
