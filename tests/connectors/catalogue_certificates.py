"""Client certificates of the catalogue's entries: one to present, and whose it is that a request presents."""

from functools import lru_cache
from typing import Any

from connectors.oauth2.http import HttpRequest
from connectors.oauth2.method import Method
from connectors.oauth2.templates import parse
from tests.connectors.client_pki import Party, certified

NAME = "the tenant's client"


@lru_cache
def _client() -> Party:
    # Valid for years around the moment at which the entries are rendered.
    party: Party = certified(NAME, from_days=-3650, to_days=3650)
    return party


def pasted(method: Method, variable: str) -> str | None:
    """What goes into the variable, if it is the certificate that the method presents, or its key."""
    tls = method.definition.token_request.tls
    if tls is None:
        return None
    if variable in parse(tls.private_key).names:
        return str(_client().private_key)
    return str(_client().chain) if variable in parse(tls.certificate).names else None


def subject(request: HttpRequest) -> dict[str, Any]:
    """That the request presents the certificate, for what is recorded of it."""
    if request.certificate is None:
        return {}
    assert _client().pem in request.certificate.chain
    return {"certificate": NAME}
