"""The rules of the sandbox's token endpoint: one grant, and for each client its own lifetime and scopes."""

from typing import Any

from oauth2_provider.models import Application
from oauth2_provider.scopes import SettingsScopes
from oauthlib.common import Request
from oauthlib.oauth2 import BackendApplicationServer

from config.sandbox.models import DEFAULT_LIFETIME, Client


class ClientCredentialsServer(BackendApplicationServer):  # type: ignore[misc]
    """Knows the client credentials grant alone (RFC 6749 section 4.4)."""

    def __init__(self, request_validator: Any, **options: Any) -> None:
        super().__init__(request_validator, **{**options, "token_expires_in": _lifetime})


class ClientScopes(SettingsScopes):  # type: ignore[misc]
    """Every client may ask for its own scopes; asking for none means all of them."""

    def get_available_scopes(self, application: Application | None = None, *args: Any, **options: Any) -> list[str]:
        client = _client(application)
        return client.scopes.split() if client else list(self.get_all_scopes())

    def get_default_scopes(self, application: Application | None = None, *args: Any, **options: Any) -> list[str]:
        return self.get_available_scopes(application)


def _lifetime(request: Request) -> int:
    """Seconds."""
    client = _client(request.client)
    return client.token_lifetime if client else DEFAULT_LIFETIME


def _client(application: Application | None) -> Client | None:
    return Client.objects.filter(application=application).first() if application else None
