"""Tenants, an instance and a provider that answers as told."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from connectors.models import AuthMethod
from tenants import connecting
from tenants.models import Instance, Tenant
from tests.tenants.api_server import api_server
from tests.tenants.fleet import connect_fleet
from tests.tenants.provider import Provider, make_method


class Clock:
    """A clock that stands still until it is told otherwise; `sleep` moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **distance: float) -> None:
        self.now += timedelta(**distance)

    def sleep(self, seconds: float) -> None:
        self.advance(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def tenant(db: None) -> Tenant:
    return Tenant.objects.create(key="acme", name="Acme")


@pytest.fixture
def method(db: None) -> AuthMethod:
    return make_method()


@pytest.fixture
def instance(tenant: Tenant, method: AuthMethod, provider: Provider, clock: Clock) -> Instance:
    """Connected just now, with a token that lives an hour."""
    values = {"client_id": "id", "client_secret": "s3cret-value"}
    return connecting.connect(tenant, method, values=values, send=provider, clock=clock)


@pytest.fixture
def fleet(tenant, method, provider, clock):
    """Ten instances at one endpoint, whose tokens run out a minute apart."""
    return connect_fleet(tenant, method, provider, clock)


@pytest.fixture
def actor(db):
    return get_user_model().objects.create(username="ada")


@pytest.fixture
def api():
    with api_server() as server:
        yield server


@pytest.fixture
def other_api():
    with api_server() as server:
        yield server


@pytest.fixture
def connect(api, tenant, settings):
    """Connect an instance to the API; sections of the method can be given."""
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]

    def connected(base_path="/v1", **sections):
        method = make_method(token_request={"url": f"{api.url}/token"}, **sections)
        method.connector.base_url = f"{api.url}{base_path}" if base_path is not None else ""
        method.connector.save()
        return connecting.connect(tenant, method, values={"client_id": "id", "client_secret": "s3cret-value"})

    return connected


@pytest.fixture
def http(connect):
    with connect().client() as session:
        yield session
