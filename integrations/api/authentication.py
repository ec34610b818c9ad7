"""Who calls: the API key in the Authorization header, and whether it may do what it asks for."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security.http import HttpAuthBase

from integrations import keys
from integrations.api.errors import Forbidden, Unauthorized
from integrations.api.problems import declared
from integrations.models import ApiKey


class ApiRequest(HttpRequest):
    """A request whose key was looked at."""

    auth: ApiKey


class ApiKeyAuth(HttpAuthBase):
    """Asks for a usable key with a scope; what it answers is the request's `auth`."""

    openapi_scheme = "bearer"
    openapi_description = "An API key, made by `manage.py create_api_key` or in the admin."

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiKey:
        now = timezone.now()
        key = keys.find(_shown(request))
        if key is None:
            raise Unauthorized("There is no such API key.", remedy="Look for a typing error, or make a new key.")
        if key.revoked_at is not None:
            raise Unauthorized("The API key was revoked.", remedy="Use another one.")
        if key.expires_at is not None and key.expires_at <= now:
            raise Unauthorized(f"The API key expired on {key.expires_at:%Y-%m-%d}.", remedy="Make a new one.")
        if self.scope not in key.scopes:
            raise Forbidden(
                f"The API key lacks the scope {self.scope}.",
                f"It has: {', '.join(key.scopes) or 'none'}.",
                "Use a key that has it.",
                scope=self.scope,
            )
        keys.note_use(key, now=now)
        return key


def _shown(request: HttpRequest) -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return text.strip()
    raise Unauthorized(
        "The request shows no API key.",
        remedy="Send it in a header: “Authorization: Bearer KEY”. `manage.py create_api_key` makes one.",
    )


def call(scope: str, *codes: str, within_422: Sequence[str] = ()) -> dict[str, Any]:
    """What each declaration ends with: the scope that it asks for, and its problems' codes, see `declared`."""
    everywhere = ("bad_request", "unauthorized", "forbidden", "validation_failed", "internal_error")
    return {
        "auth": ApiKeyAuth(scope),
        "openapi_extra": {"responses": declared(*everywhere, *codes, within_422=within_422), "x-scope": scope},
    }
