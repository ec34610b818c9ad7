"""An endpoint of the host's, and an instance to be told of."""

import pytest
from django.utils import timezone

from integrations.models import Integration, WebhookEndpoint
from integrations.webhooks import endpoints
from tenants import connecting
from tenants.models import Notice, Tenant
from tests.integrations.webhooks.receiver import receiver
from tests.tenants.conftest import Clock
from tests.tenants.provider import Provider, make_method

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


@pytest.fixture
def host(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as server:
        yield server


@pytest.fixture
def clock():
    """A clock that can be moved, and stands at the present: signatures are only good for minutes."""
    clock = Clock()
    clock.now = timezone.now().replace(microsecond=0)
    return clock


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def tenant(db):
    return Tenant.objects.create(key="acme", name="Acme")


@pytest.fixture
def method(db):
    return make_method()


@pytest.fixture
def crm(method):
    integration = Integration.objects.create(key="crm-sync", name="CRM sync")
    integration.components.create(name="meetings", connector=method.connector)
    return integration


@pytest.fixture
def instance(tenant, method, provider, clock):
    """Connected just now; that was passed on already."""
    instance = connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)
    Notice.objects.all().delete()
    return instance


class Endpoint:
    """An endpoint with its first secret, as its owner knows it."""

    def __init__(self, url, clock, **more):
        self.row = WebhookEndpoint.objects.create(url=url, **more)
        self.secret = endpoints.add_secret(self.row, clock=clock)


@pytest.fixture
def endpoint(db, host, clock):
    return Endpoint(host.url, clock)
