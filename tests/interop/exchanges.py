"""Our side of a conversation with an authorization server that others wrote: token requests and API requests."""

from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import uuid4

from django.utils import timezone

from connectors.addresses import AllowList
from connectors.guarded_requests import guarded_session
from connectors.oauth2.definition import Connector
from connectors.oauth2.exchange import ask
from connectors.oauth2.method import Method
from connectors.oauth2.request import api_signature
from connectors.oauth2.values import resolve
from connectors.transport import Outbound, send

BASIC = {"client_authentication": "client_secret_basic"}
RAW = {**BASIC, "basic_encoding": "raw"}
POST = {"client_authentication": "client_secret_post"}
# What a person may well be given, and what breaks where the encoding is left out or done twice.
ODD_PAIRS = [
    ("with space", "and a space"),
    ("plus+plus", "a+b+c"),
    ("per%63ent", "100%25 %41"),
    ("colon:colon", "se:cr:et"),
    ("a&b=c", "&client_secret=x&"),
    ("Zürich-会社", "пароль-ñ-🔑"),
]


class Exchanges:
    """Token requests and API requests to one running server. `api` answers signed requests at `/me`."""

    def __init__(self, token_url, api, pool):
        self.token_url = token_url
        self.api = api
        self.outbound = Outbound(allowed=AllowList.parse([urlsplit(token_url).netloc]), timeout=30)
        self.send = partial(send, outbound=self.outbound, pool=pool)

    def method(self, token_request, variables=()):
        document = Connector.model_validate(
            {
                "kind": "connector",
                "key": "sandbox",
                "name": "Sandbox",
                "base_url": self.api,
                "auth_methods": [
                    {
                        "key": "any",
                        "name": "Any",
                        "variables": list(variables),
                        "token_request": {"url": self.token_url, **token_request},
                        "test_request": {"url": "{{base_url}}/me"},
                    }
                ],
            }
        )
        return Method(document, document.auth_methods[0])

    def ask(self, client_id, client_secret="", *, token_request=BASIC, variables=(), scope="", **values):
        method = self.method(token_request, variables)
        given = {"client_id": client_id, "client_secret": client_secret, "scope": scope, **values}
        rendering = resolve(method, given, {}, now=datetime.now(UTC), uuid=uuid4())
        return method, rendering, ask(method, rendering, send=self.send, clock=timezone.now)

    def call(self, verb, bought, **options):
        method, rendering, grant = bought
        signature = api_signature(method, rendering, grant)
        with guarded_session(outbound=self.outbound) as session:
            return session.request(verb, f"{self.api}/me", headers=signature.headers, **options)

    def post(self, address, credentials, **form):
        """What a resource server asks, with Basic as RFC 6749 has it for plain names."""
        with guarded_session(outbound=self.outbound) as session:
            return session.post(address, data=form, auth=credentials)
