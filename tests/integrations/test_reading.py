"""What the host's own code gets through an integration."""

import pytest
import requests

from integrations.models import Integration
from tenants import connecting
from tenants.errors import InstanceNotFound, NotConnected, SeveralInstances
from tenants.models import Tenant
from tests.tenants.provider import Provider, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def connect(provider):
    def connected(tenant, method, name=""):
        tenant, _ = Tenant.objects.get_or_create(key=tenant)
        return connecting.connect(tenant, method, name=name, values=VALUES, send=provider)

    return connected


@pytest.fixture
def crm():
    """An integration that reads any method of one connector, and a particular one of another."""
    integration = Integration.objects.create(key="crm-sync", name="CRM sync")
    for name in ("meetings", "chat"):
        method = make_method(name)
        way = method if name == "chat" else None
        integration.components.create(name=name, connector=method.connector, auth_method=way)
    return integration


def method_of(crm, component):
    return crm.components.get(name=component).connector.auth_methods.first()


@pytest.mark.parametrize("component", ["meetings", "chat"])
def test_a_token_is_read_by_tenant_and_component(crm, connect, component):
    connect("acme", method_of(crm, component))

    credentials = crm.credentials("acme", component)

    assert credentials.access_token == "token-1"
    assert credentials.headers == {"Authorization": "Bearer token-1"}
    assert credentials.expires_at is not None


def test_a_valid_token_costs_one_query(crm, connect, django_assert_num_queries):
    connect("acme", method_of(crm, "chat"))
    crm.credentials("acme", "chat")

    with django_assert_num_queries(1):
        crm.credentials("acme", "chat")


def test_a_client_reads_for_the_same_instance(crm, connect):
    connect("acme", method_of(crm, "chat"))

    with crm.client("acme", "chat") as http:
        prepared = http.prepare_request(requests.Request("GET", "/users/me"))

    assert prepared.url == "https://api.example.com/v1/users/me"
    assert prepared.headers["Authorization"] == "Bearer token-1"


def test_a_component_tied_to_a_method_reads_no_other_method(crm, connect):
    method = method_of(crm, "chat")
    other = method.connector.auth_methods.create(key="other", name="Other", token_request=method.token_request)
    connect("acme", other)

    with pytest.raises(InstanceNotFound, match="acme has no instance for “chat” of crm-sync"):
        crm.credentials("acme", "chat")


def test_another_tenants_or_connectors_instance_is_not_read(crm, connect):
    connect("other", method_of(crm, "chat"))
    connect("acme", method_of(crm, "meetings"))

    for tenant in ("acme", "stranger"):
        with pytest.raises(InstanceNotFound, match=r"never connected.*check how the keys are spelt"):
            crm.credentials(tenant, "chat")


@pytest.mark.parametrize("component", [None, 5])
def test_what_is_no_name_is_no_component(crm, component):
    with pytest.raises(InstanceNotFound, match="has no component"):
        crm.credentials("acme", component)


def test_an_unknown_component_is_said_so_with_the_ones_there_are(crm, connect):
    connect("acme", method_of(crm, "chat"))

    with pytest.raises(InstanceNotFound, match=r"no component “chats”.*chat"):
        crm.credentials("acme", "chats")


def test_several_instances_are_not_chosen_from(crm, connect):
    for name in ("one", "two"):
        connect("acme", method_of(crm, "chat"), name)

    with pytest.raises(SeveralInstances, match="“one”, “two”") as several:
        crm.client("acme", "chat")

    assert several.value.names == ("one", "two")


def test_a_pending_instance_is_not_connected(crm):
    connecting.add_pending(Tenant.objects.create(key="acme"), method_of(crm, "chat"), values=VALUES)

    with pytest.raises(NotConnected, match="not connected yet"):
        crm.credentials("acme", "chat")
