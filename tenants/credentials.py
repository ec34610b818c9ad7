"""What a reader gets: a token with the headers, query and base address that sign API requests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from connectors.oauth2.certificates import ClientCertificate
from connectors.oauth2.dpop import API_NONCES, ProofKey
from connectors.oauth2.method import Method
from connectors.oauth2.request import Bought, api_signature
from connectors.oauth2.templates import Rendering
from tenants.base_addresses import refuse_open


@dataclass(frozen=True)
class Credentials:
    """A token, and how to sign an API request with it. Its repr shows neither.

    `expires_at` is None for a token that is kept until an API refuses it; `base_url` is without a trailing slash, empty
    if the connector has none; `certificate` is what to present to the API in the TLS handshake, where one is needed.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_at: datetime | None
    headers: Mapping[str, str] = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(repr=False)
    base_url: str = field(repr=False)  # a variable marked secret may stand in it
    instance_id: UUID
    reject: Callable[[str], bool] = field(repr=False, compare=False)
    certificate: ClientCertificate | None = field(default=None, repr=False)
    dpop_key: ProofKey | None = field(default=None, repr=False)
    has_secret_base: bool = field(default=False, repr=False)  # the base address may not be shown

    def dpop_proof(self, method: str, url: str, *, nonce: str | None = None, now: datetime | None = None) -> str:
        """The header DPoP of one request to the API, made for its method and whole address (RFC 9449 section 7).

        `nonce`: what the API demanded; without it, the last one that it gave `client()` in this process. Raises
        `ValueError` for a token that is bound to no key.
        """
        if self.dpop_key is None:
            raise ValueError("This token is bound to no key, so there is nothing to prove: send `headers` as they are.")
        return self.dpop_key.proof(
            method,
            url,
            now=now or datetime.now(UTC),
            access_token=self.access_token,
            nonce=API_NONCES.latest(self.dpop_key, url) if nonce is None else nonce,
        )

    def report_rejected(self) -> bool:
        """Tell the platform that an API turned this token down before its time: the next reader gets another.

        False if that changes nothing: the token was replaced already, or replacing it over and over does not help.
        """
        return self.reject(self.access_token)


def bought_of(secrets: Mapping[str, Any] | None, expires_at: datetime | None) -> Bought:
    """The token in the clear, from what was kept of a grant (see `kept_of`)."""
    secrets = secrets or {}
    return Bought(
        access_token=secrets.get("access_token", ""),
        token_type=secrets.get("token_type", ""),
        expires_at=expires_at,
        kept=secrets.get("kept", {}),
        dpop_key=secrets.get("dpop_key", ""),
        steps=secrets.get("steps", {}),
    )


def credentials_of(
    instance_id: UUID, method: Method, rendering: Rendering, bought: Bought, reject: Callable[[str], bool]
) -> Credentials:
    """What a reader gets of a token. Raises `ValidationFailed`, `ResponseNotUnderstood`, `AddressRefused`."""
    signature = api_signature(method, rendering, bought)
    refuse_open(method, signature.base_url)
    return Credentials(
        access_token=bought.access_token,
        token_type=bought.token_type,
        expires_at=bought.expires_at,
        headers=signature.headers,
        query=signature.query,
        base_url=signature.base_url,
        instance_id=instance_id,
        reject=reject,
        certificate=signature.certificate,
        dpop_key=ProofKey(bought.dpop_key) if bought.dpop_key else None,
        has_secret_base=method.base_url_is_secret,
    )
