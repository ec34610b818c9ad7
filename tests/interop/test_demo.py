"""The demo, end to end: its connector against the sandbox that this process serves."""

from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from config.sandbox.models import Client
from connectors.models import AuthMethod
from integrations.models import Integration
from tenants.connecting import check_now, connect
from tenants.errors import CredentialsRefused
from tenants.models import Instance, Tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(live_server, settings):
    settings.PUBLIC_URL = live_server.url
    settings.OUTBOUND_ALLOWED_HOSTS = [urlsplit(live_server.url).netloc]
    call_command("seed_demo", stdout=StringIO())


@pytest.fixture
def registered(demo):
    return Client.objects.register(owner=User.objects.get(username="acme"), name="Reporting")


def connected(registered, key, **values):
    client, secret = registered
    given = {"client_id": client.application.client_id, "client_secret": secret, **values}
    return connect(Tenant.objects.get(key="acme"), AuthMethod.objects.get(key=key), values=given)


@pytest.mark.parametrize("key", ["client-secret", "authorization-header"])
def test_the_integration_calls_the_api_with_either_method(registered, key):
    connected(registered, key)

    with Integration.objects.get(key="demo").client("acme", "sandbox") as http:
        answer = http.get("/me")

    assert answer.json()["client"]["name"] == "Reporting"


def test_choosing_a_permission_narrows_the_token(registered):
    connected(registered, "authorization-header", scope="read")

    with Integration.objects.get(key="demo").client("acme", "sandbox") as http:
        assert http.patch("/me", json={"name": "Other"}).status_code == 403


def test_a_token_for_another_resource_is_refused_by_the_api(registered, live_server):
    connected(registered, "authorization-header", resource=f"{live_server.url}/elsewhere")

    with Integration.objects.get(key="demo").client("acme", "sandbox") as http:
        assert http.get("/me").status_code == 401


def test_a_token_that_is_revoked_before_its_time_is_replaced_within_one_call(registered):
    connected(registered, "client-secret")
    registered[0].revoke_tokens()

    with Integration.objects.get(key="demo").client("acme", "sandbox") as http:
        answer = http.patch("/me", json={"name": "Other"})

    assert answer.json()["client"]["name"] == "Other"
    assert [before.status_code for before in answer.history] == [401]


def test_a_revoked_secret_asks_for_action_in_words(registered):
    instance = connected(registered, "client-secret")
    registered[0].revoke_secret()

    with pytest.raises(CredentialsRefused):
        check_now(instance)

    instance.refresh_from_db()
    assert instance.status == Instance.Status.ACTION_REQUIRED
    assert "It does not accept the client ID or the client secret." in instance.status_reason


def test_readers_keep_the_token_of_a_connection_that_asks_for_action(registered):
    instance = connected(registered, "client-secret")
    registered[0].revoke_secret()
    with pytest.raises(CredentialsRefused):
        check_now(instance)

    with Integration.objects.get(key="demo").client("acme", "sandbox") as http:
        assert http.get("/me").status_code == 200
