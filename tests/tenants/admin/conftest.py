"""An administrator, a tenant, a method whose provider is a real server, and an instance."""

import pytest

from connectors.models import AuthMethod, Connector
from tenants.models import Tenant
from tests.tenants.wizard.rows import make_instance, make_method
from tests.tenants.wizard.token_server import running


@pytest.fixture
def token_server(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as server:
        yield server


@pytest.fixture
def acme(db):
    return Tenant.objects.create(key="acme", name="Acme Ltd")


@pytest.fixture
def method(db, token_server) -> AuthMethod:
    connector = Connector.objects.create(key="zoom", name="Zoom")
    return make_method(connector, token_request={"url": token_server.url})


@pytest.fixture
def instance(acme, method):
    return make_instance(acme, method)
