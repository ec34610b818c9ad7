"""What is read in one small statement is what the models would hand out, and refused where they would refuse."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.models import AuthMethod
from connectors.oauth2.errors import ValidationFailed
from integrations.models import Integration
from integrations.models.binding import Binding
from tenants import connecting, database_time
from tenants.credentials import Credentials
from tenants.errors import InstanceNotFound, NotConnected, SeveralInstances
from tenants.models import Instance, Tenant, Token
from tests.tenants.provider import Provider, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


@pytest.fixture
def method():
    method = make_method(
        api_request={
            "headers": {"Authorization": "Bearer {{access_token}}", "X-Client": "{{client_id}}"},
            "query": {"region": "{{response.region}}"},
        },
        token_response={"keep": ["region"]},
    )
    method.connector.base_url = "https://{{response.region}}.example.com/v1"
    method.connector.save()
    return method


@pytest.fixture
def provider():
    provider = Provider()
    ask = provider.token
    provider.token = lambda value, **more: ask(value, region="eu", **more)
    return provider


@pytest.fixture
def crm(method):
    integration = Integration.objects.create(key="crm-sync", name="CRM sync")
    integration.components.create(name="meetings", connector=method.connector)
    return integration


@pytest.fixture
def connect(provider, method):
    def connected(tenant, name=""):
        tenant, _ = Tenant.objects.get_or_create(key=tenant)
        return connecting.connect(tenant, method, name=name, values=VALUES, send=provider)

    return connected


def test_it_is_what_the_models_hand_out(crm, connect):
    instance = connect("acme")

    quick = crm.credentials("acme", "meetings")

    assert quick == Instance.objects.for_reading().get(pk=instance.pk).credentials()
    assert quick.headers == {"Authorization": "Bearer token-1", "X-Client": "id"}
    assert (quick.base_url, quick.query) == ("https://eu.example.com/v1", (("region", "eu"),))
    assert "token-1" not in repr(quick)


def test_its_token_can_be_reported_as_rejected(crm, connect):
    instance = connect("acme")

    assert crm.credentials("acme", "meetings").report_rejected()

    assert Token.objects.get(pk=instance.pk).is_rejected


def test_a_definition_that_changed_is_read_as_it_is_now(crm, connect, method):
    connect("acme")
    crm.credentials("acme", "meetings")
    method.refresh_from_db()
    method.api_request = {"headers": {"X-Token": "{{access_token}}"}}
    method.save()
    AuthMethod.objects.filter(pk=method.pk).touch()

    assert crm.credentials("acme", "meetings").headers == {"X-Token": "token-1"}


@pytest.mark.parametrize("status", ["paused", "pending"])
def test_what_is_not_to_be_used_is_not_handed_out(crm, connect, status):
    connect("acme")
    Instance.objects.update(status=status)

    with pytest.raises(NotConnected):
        crm.credentials("acme", "meetings")


@pytest.mark.parametrize("status", ["failing", "action_required"])
def test_a_token_that_lives_is_served_in_trouble(crm, connect, status):
    connect("acme")
    Instance.objects.update(status=status)

    assert crm.credentials("acme", "meetings").access_token == "token-1"


def test_nonsense_for_a_min_ttl_is_refused(crm, connect):
    connect("acme")

    with pytest.raises(ValidationFailed):
        crm.credentials("acme", "meetings", min_ttl=-1)


def test_of_several_the_one_that_was_connected_for_the_component_is_read(crm, connect):
    for name in ("one", "two"):
        connect("acme", name)
    with pytest.raises(SeveralInstances):
        crm.credentials("acme", "meetings")
    second = Instance.objects.get(name="two")
    Binding.objects.create(component=crm.components.get(), tenant=second.tenant, instance=second)

    with CaptureQueriesContext(connection) as queries:
        assert crm.credentials("acme", "meetings").instance_id == second.pk
    assert len(queries) == 1
    connect("umbrella")
    found = crm.credentials_for(["umbrella", "acme"], "meetings")
    assert found["acme"].instance_id == second.pk
    assert found["umbrella"].instance_id == Instance.objects.get(tenant__key="umbrella").pk


def test_one_without_a_token_makes_several_all_the_same(crm, connect, method):
    instance = connect("acme")
    Instance.objects.create(tenant=instance.tenant, auth_method=method, name="bare")

    with pytest.raises(SeveralInstances):
        crm.credentials("acme", "meetings")
    assert isinstance(crm.credentials_for(["acme", "nobody"], "meetings")["acme"], SeveralInstances)


def test_keys_that_are_numbers_are_texts_like_any_other(crm, connect):
    connect("42")

    assert crm.credentials(42, "meetings").access_token == "token-1"
    assert crm.credentials_for([42, "nobody"], "meetings")[42].access_token == "token-1"


def test_another_integration_and_another_component_are_not_mixed_up(crm, connect, method):
    connect("acme")
    other = Integration.objects.create(key="other", name="Other")

    for integration, component in ((crm, "nothing"), (other, "meetings")):
        with pytest.raises(InstanceNotFound):
            integration.credentials("acme", component)
    with pytest.raises(InstanceNotFound):
        crm.credentials("umbrella", "meetings")


class TestManyTenants:
    @pytest.fixture
    def tenants(self, connect):
        keys = [f"tenant-{number}" for number in range(7)]
        for key in keys:
            connect(key)
        return keys

    def test_all_are_read_in_one_query(self, crm, tenants):
        crm.credentials_for(tenants, "meetings")  # what was not read before, such as the definition

        with CaptureQueriesContext(connection) as queries:
            found = crm.credentials_for([*tenants, tenants[0]], "meetings")

        assert len(queries) == 1
        assert list(found) == tenants
        assert {key: one.access_token for key, one in found.items()} == {
            key: f"token-{number}" for number, key in enumerate(tenants, 1)
        }

    def test_each_has_its_own_error_in_its_place(self, crm, tenants):
        connecting.pause(Instance.objects.get(tenant__key=tenants[0]))

        found = crm.credentials_for([*tenants, "nobody"], "meetings")

        assert isinstance(found[tenants[0]], NotConnected)
        assert isinstance(found["nobody"], InstanceNotFound)
        assert all(isinstance(found[key], Credentials) for key in tenants[1:])

    def test_more_than_fit_into_one_query_are_all_read(self, crm, tenants, monkeypatch):
        monkeypatch.setattr("integrations.models.integration._AT_ONCE", 3)

        assert list(crm.credentials_for(tenants, "meetings")) == tenants

    def test_nobody_is_nothing(self, crm):
        assert crm.credentials_for([], "meetings") == {}


def test_a_token_that_will_not_do_is_renewed_by_the_models(crm, connect, settings):
    """The address doesn't resolve to anything that may be reached: that it is asked shows in the error."""
    connect("acme")
    long_ago = database_time.now() - timedelta(hours=2)
    Token.objects.update(issued_at=long_ago, expires_at=long_ago)
    settings.OUTBOUND_TIMEOUT = 0.001

    from_one = crm.credentials_for(["acme"], "meetings")["acme"]

    assert from_one.code == "provider_unavailable"
    assert Instance.objects.get().status == Instance.Status.FAILING
