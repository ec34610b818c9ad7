"""`manage.py seed_demo`: what is needed to try Latchkey, however often it runs."""

import re
from datetime import UTC, datetime
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from oauth2_provider.models import Application

from config.demo.sandbox import DOCUMENTS
from config.sandbox.models import Client
from connectors.definitions import definition_of
from connectors.models import AuthMethod, Connector, Variable
from connectors.oauth2.checks import check_connector
from connectors.oauth2.request import make_token_request
from connectors.oauth2.values import resolve
from integrations.importing import check_files
from integrations.models import Integration
from tenants.models import Membership, Tenant

pytestmark = pytest.mark.django_db


def seed(*options):
    output = StringIO()
    call_command("seed_demo", *options, stdout=output)
    return output.getvalue()


def passwords(output):
    return dict(re.findall(r"^    (admin|acme|globex) +([A-Za-z2-9]{16}) ", output, re.MULTILINE))


def printed_client(output):
    return re.search(r"Client ID +(\S+)\n +Client secret +(\S+)", output).groups()


def token_request_of(method):
    given = {"client_id": "id", "client_secret": "secret"}
    definition = definition_of(method)
    operator = definition.operator_values({})
    return make_token_request(
        definition.method, resolve(definition.method, given, operator, now=datetime.now(UTC), uuid=uuid4())
    )


def test_its_documents_are_right():
    batch = check_files([str(DOCUMENTS)])

    assert batch.problems == []
    assert check_connector(batch.connectors[0]) == []


def test_makes_users_who_can_sign_in_with_what_is_printed():
    printed = passwords(seed())

    users = {name: authenticate(username=name, password=password) for name, password in printed.items()}
    assert {name: user.is_superuser for name, user in users.items()} == {"admin": True, "acme": False, "globex": False}


def test_every_user_but_the_administrator_belongs_to_one_tenant():
    seed()

    assert set(Membership.objects.values_list("user__username", "tenant__key")) == {
        ("acme", "acme"),
        ("globex", "globex"),
    }


def test_every_run_makes_other_passwords():
    first = passwords(seed())
    User.objects.all().delete()

    second = passwords(seed())

    assert not set(first.values()) & set(second.values())


def test_loads_the_connector_and_the_integration():
    seed()

    component = Integration.objects.get(key="demo").components.get(name="sandbox")
    assert component.connector.key == "sandbox"
    assert [method.key for method in component.connector.auth_methods.all()] == [
        "client-secret",
        "authorization-header",
    ]


def test_the_printed_client_gets_a_token(client):
    client_id, secret = printed_client(seed())

    credentials = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    answer = client.post(reverse("sandbox:token"), credentials)

    assert answer.status_code == 200
    assert Client.objects.of(User.objects.get(username="acme")).get().application.client_id == client_id


def test_neither_passwords_nor_the_secret_are_stored_in_plain_text():
    output = seed()

    stored = str(list(User.objects.values())) + str(list(Application.objects.values()))
    assert not [text for text in (*passwords(output).values(), printed_client(output)[1]) if text in stored]


def test_a_second_run_keeps_everything_and_says_how_to_get_new_passwords():
    first = passwords(seed())
    counted = [model.objects.count() for model in (User, Tenant, Membership, Connector, Variable, Client)]

    output = seed()

    assert passwords(output) == {}
    assert "Client secret" not in output
    assert "make new ones with `manage.py seed_demo --new-passwords`" in output
    assert authenticate(username="acme", password=first["acme"])
    assert [model.objects.count() for model in (User, Tenant, Membership, Connector, Variable, Client)] == counted


def test_new_passwords_replace_the_old_ones():
    before = passwords(seed())

    after = passwords(seed("--new-passwords"))

    assert authenticate(username="globex", password=after["globex"])
    assert not authenticate(username="globex", password=before["globex"])


def test_a_second_run_leaves_an_administrators_changes_alone():
    seed()
    Connector.objects.filter(key="sandbox").update(name="Playground")

    seed()

    assert Connector.objects.get(key="sandbox").name == "Playground"


@pytest.mark.parametrize("key", ["client-secret", "authorization-header"])
def test_requests_follow_the_sandbox_to_another_port(settings, key):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    seed()
    method = AuthMethod.objects.get(key=key)
    before = token_request_of(method).url

    settings.PUBLIC_URL = "http://127.0.0.1:9001"
    seed()

    method.refresh_from_db()
    assert before == "http://127.0.0.1:8000/sandbox/oauth/token"
    assert token_request_of(method).url == "http://127.0.0.1:9001/sandbox/oauth/token"
