"""The sandbox's protected resource: what an API of a real provider would be."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.www_authenticate import build_bearer_challenge, challenge_status

from config.sandbox.authorization_server import ClientCredentialsServer

NAME_LENGTH = 200


@csrf_exempt  # no cookie counts here, a bearer token does
@require_http_methods(["GET", "PATCH"])
def me(request: HttpRequest) -> HttpResponse:
    """The client that asks, and what is left of its token. PATCH, with the scope `write`, gives it another name."""
    core = OAuthLibCore(ClientCredentialsServer(OAuth2Validator()))
    valid, checked = core.verify_request(request, scopes=["write" if request.method == "PATCH" else "read"])
    if not valid:
        return _refusal(request, getattr(checked, "oauth2_error", None))
    if request.method == "PATCH":
        name = _new_name(request.body)
        if not name:
            return JsonResponse(
                {"error": f"Send JSON such as {{“name”: “…”}}, 1 to {NAME_LENGTH} letters."}, status=422
            )
        checked.client.name = name
        checked.client.save(update_fields=["name", "updated"])
    return JsonResponse(_described(checked.access_token))


def _described(token: AccessToken) -> dict[str, Any]:
    return {
        "client": {"id": token.application.client_id, "name": token.application.name},
        "scopes": token.scope.split(),
        "issued_at": token.created.isoformat(),
        "expires_at": token.expires.isoformat(),
        "expires_in": int((token.expires - timezone.now()).total_seconds()),
    }


def _refusal(request: HttpRequest, error: dict[str, Any] | None) -> HttpResponse:
    """RFC 6750 section 3: 401 for no token or a dead one, 403 for one that lacks the scope."""
    problem = {name: str(text) for name, text in (error or {}).items()}
    body = problem or {"error": "invalid_request", "error_description": "Send a bearer token."}
    response = JsonResponse(body, status=challenge_status(problem))
    response["WWW-Authenticate"] = build_bearer_challenge(request, problem, "sandbox", resource_metadata_url=None)
    return response


def _new_name(body: bytes) -> str:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    name = sent.get("name") if isinstance(sent, dict) else None
    return name.strip() if isinstance(name, str) and len(name) <= NAME_LENGTH else ""
