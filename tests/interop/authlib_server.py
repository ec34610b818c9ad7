"""An authorization server and an API by Authlib, in this process: its Django integration, everything kept in memory."""

import time
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.django_oauth2 import AuthorizationServer, BearerTokenValidator, ResourceProtector
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.util import list_to_scope, scope_to_list
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion, JWTBearerGrant
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

LIFETIME = 90  # seconds
SCOPES = ["read", "write", "admin"]
# Authlib has one class for both ways of RFC 7523 section 2.2; the client's own entry says which it uses.
ASSERTION = JWTBearerClientAssertion.CLIENT_AUTH_METHOD
CLIENT_CREDENTIALS = "client_credentials"


@dataclass
class Client(ClientMixin):
    """A registered client."""

    client_id: str
    method: str
    client_secret: str = ""
    key: Any = None
    grants: tuple[str, ...] = (CLIENT_CREDENTIALS,)
    scopes: tuple[str, ...] = ("read", "write")

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return list_to_scope([one for one in scope_to_list(scope) or [] if one in self.scopes])

    def check_client_secret(self, client_secret):
        return self.client_secret == client_secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == (ASSERTION if self.method.endswith("_jwt") else self.method)

    def check_grant_type(self, grant_type):
        return grant_type in self.grants


@dataclass
class Token(TokenMixin):
    """A token that was issued."""

    client: Client
    access_token: str
    expires_in: int
    scope: str
    issued_at: float = field(default_factory=time.time)
    revoked: bool = False

    def check_client(self, client):
        return client is self.client

    def get_client(self):
        return self.client

    def get_scope(self):
        return self.scope

    def is_expired(self):
        return time.time() > self.issued_at + self.expires_in

    def is_revoked(self):
        return self.revoked


class Registry:
    """What the server knows."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, Token] = {}
        self.seen: set[str] = set()
        self.audience = ""

    def register(self, client):
        self.clients[client.client_id] = client
        return client


REGISTRY = Registry()


class Server(AuthorizationServer):
    """Authlib's server over the registry instead of models."""

    def query_client(self, client_id):
        return REGISTRY.clients.get(client_id)

    def save_token(self, token, request):
        kept = Token(request.client, token["access_token"], token["expires_in"], token.get("scope", ""))
        REGISTRY.tokens[kept.access_token] = kept
        return kept


class Assertions(JWTBearerClientAssertion):
    """client_secret_jwt and private_key_jwt."""

    def get_audiences(self):
        return [REGISTRY.audience]

    def validate_jti(self, claims, jti):
        is_new = jti not in REGISTRY.seen
        REGISTRY.seen.add(jti)
        return is_new

    def resolve_client_public_key(self, client):
        return client.key


class ClientCredentials(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", ASSERTION, "none")


class JwtBearer(JWTBearerGrant):
    """RFC 7523 section 2.1; a subject must be a client of the same name."""

    def resolve_issuer_client(self, issuer):
        return REGISTRY.clients.get(issuer)

    def resolve_client_public_key(self, client):
        return client.key

    def authenticate_user(self, subject):
        return REGISTRY.clients.get(subject)

    def get_audiences(self):
        return [REGISTRY.audience]

    def has_granted_permission(self, client, user):
        return client is user


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def query_token(self, token_string, token_type_hint):
        return REGISTRY.tokens.get(token_string)

    def revoke_token(self, token, request):
        token.revoked = True


class Introspection(IntrospectionEndpoint):
    def query_token(self, token_string, token_type_hint):
        return REGISTRY.tokens.get(token_string)

    def check_permission(self, token, client, request):
        return token.check_client(client)

    def introspect_token(self, token):
        return {
            "client_id": token.client.client_id,
            "scope": token.scope,
            "exp": int(token.issued_at + token.expires_in),
        }


class Validator(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return REGISTRY.tokens.get(token_string)


def _server() -> Server:
    server = Server(Client, Token)
    lifetimes = {CLIENT_CREDENTIALS: LIFETIME, JWTBearerGrant.GRANT_TYPE: LIFETIME}
    server.load_config({"scopes_supported": SCOPES, "token_expires_in": lifetimes})
    server.register_client_auth_method(ASSERTION, Assertions())
    server.register_grant(ClientCredentials)
    server.register_grant(JwtBearer)
    server.register_endpoint(Revocation)
    server.register_endpoint(Introspection)
    return server


SERVER = _server()
PROTECTED = ResourceProtector()
PROTECTED.register_token_validator(Validator(None))


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    answer: HttpResponse = SERVER.create_token_response(request)
    return answer


@csrf_exempt
def endpoint(request: HttpRequest, name: str) -> HttpResponse:
    answer: HttpResponse = SERVER.create_endpoint_response(name, request)
    return answer


@PROTECTED()
def me(request: HttpRequest) -> HttpResponse:
    issued = request.oauth_token  # type: ignore[attr-defined]
    return JsonResponse({"client": issued.client.client_id, "scope": issued.scope})


urlpatterns = [
    path("token", token),
    path("revoke", endpoint, {"name": Revocation.ENDPOINT_NAME}),
    path("introspect", endpoint, {"name": Introspection.ENDPOINT_NAME}),
    path("resource/me", me),
]
