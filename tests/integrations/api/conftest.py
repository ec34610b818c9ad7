"""Two tenants, two integrations, and who calls: the right key, another tenant's, another integration's."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connectors.models import AuthMethod, Connector
from integrations import keys
from integrations.models import Component, Integration
from tenants.models import Instance, Tenant, Token
from tests.tenants.wizard.rows import make_instance, make_method
from tests.tenants.wizard.token_server import TokenServer, running

MakeKey = Callable[..., str]
TOKEN_PATH = "/api/v1/tenants/acme/integrations/crm-sync/components/meetings/token"


class Caller:
    """Makes calls with a key, as the host's backend does."""

    def __init__(self, key: str | None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {**self.headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
        options = {"data": "" if body is None else body, "content_type": "application/json"}
        options = {} if method == "GET" else options
        path = path if path.startswith("/") else f"/api/v1/{path}"
        return getattr(self.client, method.lower())(path, headers=sent, **options)


@pytest.fixture
def acme(db: None) -> Tenant:
    return Tenant.objects.create(key="acme", name="Acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    return Tenant.objects.create(key="globex", name="Globex")


@pytest.fixture
def server(settings: Any) -> Iterator[TokenServer]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as made:
        yield made


@pytest.fixture
def zoom(db: None, server: TokenServer) -> AuthMethod:
    connector = Connector.objects.create(key="zoom", name="Zoom", base_url="https://api.zoom.example/v2/")
    return make_method(connector, key="server-to-server", token_request={"url": server.url})


@pytest.fixture
def chat(db: None) -> AuthMethod:
    return make_method(Connector.objects.create(key="chat", name="Chat"))


@pytest.fixture
def crm(zoom: AuthMethod) -> Integration:
    integration = Integration.objects.create(key="crm-sync", name="CRM sync")
    Component.objects.create(integration=integration, name="meetings", connector=zoom.connector, auth_method=zoom)
    return integration


@pytest.fixture
def support(chat: AuthMethod) -> Integration:
    integration = Integration.objects.create(key="support", name="Support")
    Component.objects.create(integration=integration, name="talk", connector=chat.connector)
    return integration


@pytest.fixture
def instance(acme: Tenant, zoom: AuthMethod, crm: Integration) -> Instance:
    """Acme's instance of zoom, with a token that lives for an hour."""
    return fresh(make_instance(acme, zoom))


@pytest.fixture
def globex_instance(globex: Tenant, zoom: AuthMethod, crm: Integration) -> Instance:
    return fresh(make_instance(globex, zoom))


def fresh(instance: Instance, *, now: datetime | None = None, **life: float) -> Instance:
    """Give the token a life from now on: an hour, or what `life` says."""
    now = now or timezone.now()
    expires_at = now + timedelta(**(life or {"hours": 1}))
    Token.objects.filter(pk=instance.pk).update(issued_at=now - timedelta(minutes=1), expires_at=expires_at)
    return instance


@pytest.fixture
def make_key(db: None) -> MakeKey:
    def make(**bounds: Any) -> str:
        return keys.issue("a key", **bounds)[1]

    return make


@pytest.fixture
def call(make_key: MakeKey) -> Caller:
    """With a key that may do and reach everything."""
    return Caller(make_key())
