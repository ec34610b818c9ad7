"""New connector from …: a source goes in, a draft comes up in the import page's editor."""

from html import unescape
from io import BytesIO

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from connectors.models import Connector

DRAFT = "admin:integrations_integration_draft"
CURL = "curl https://login.acme.test/token -u id:s3cr3t -d grant_type=client_credentials"


def page(response):
    return unescape(response.content.decode())


def staff(client, *permissions):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)


@pytest.mark.django_db
def test_who_may_not_add_connectors_is_kept_out(client):
    staff(client, "view_connector", "change_connector")

    assert client.get(reverse(DRAFT)).status_code == 403
    assert client.post(reverse(DRAFT), {"text": CURL}).status_code == 403


def test_who_is_not_signed_in_is_sent_to_sign_in(client, db):
    assert client.get(reverse(DRAFT)).status_code == 302


def test_a_command_becomes_a_draft_with_its_remarks_and_nothing_is_stored(admin_client):
    response = admin_client.post(reverse(DRAFT), {"text": CURL})

    assert "client_authentication: client_secret_basic" in page(response)
    assert "<li>base_url and test_request are left out" in page(response)
    assert "The draft can be imported as it stands." in page(response)
    assert "s3cr3t" not in page(response)
    assert not Connector.objects.exists()


def test_the_draft_is_imported_by_the_import_page(admin_client):
    shown = admin_client.post(reverse(DRAFT), {"text": CURL})
    text = shown.context["draft"].yaml

    response = admin_client.post(reverse("admin:integrations_integration_import"), {"text": text})

    assert response.status_code == 302
    assert Connector.objects.get().auth_methods.get().token_request["url"] == "https://login.acme.test/token"


def test_an_uploaded_file_is_read(admin_client):
    file = BytesIO(b'{"issuer": "https://login.acme.test", "token_endpoint": "https://login.acme.test/token"}')
    file.name = "metadata.json"

    response = admin_client.post(reverse(DRAFT), {"file": file})

    assert "url: https://login.acme.test/token" in page(response)


def test_what_is_still_to_fill_in_stands_beside_the_draft(admin_client):
    response = admin_client.post(reverse(DRAFT), {"text": '{"issuer": "https://a.test", "token_endpoint": ""}'})

    assert "Still to fill in" in page(response)
    assert "auth_methods[0].token_request.url" in page(response)


def test_an_existing_key_is_pointed_out(admin_client):
    Connector.objects.create(key="acme", name="Acme")

    assert "There is a connector <b>acme</b> already" in page(admin_client.post(reverse(DRAFT), {"text": CURL}))


def test_an_address_passes_the_guard(admin_client):
    response = admin_client.post(reverse(DRAFT), {"address": "https://127.0.0.1/openapi.json"})

    assert "where requests may not go" in page(response)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "one of the three"),
        ({"text": CURL, "address": "https://a.test"}, "one of the three"),
        ({"address": "ftp://a.test/x"}, "begins with https://"),
        ({"text": "hello"}, "neither JSON nor YAML"),
        ({"text": CURL, "kind": "openapi"}, "neither JSON nor YAML"),
    ],
)
def test_what_gives_no_draft_is_refused_in_words(admin_client, data, why):
    assert why in page(admin_client.post(reverse(DRAFT), data))


@pytest.mark.django_db
def test_who_may_not_import_sees_the_draft_without_the_button(client):
    staff(client, "add_connector", "view_connector")

    response = client.post(reverse(DRAFT), {"text": CURL})

    assert "You may draft but not import" in page(response)


def test_the_list_of_connectors_leads_there(admin_client):
    shown = page(admin_client.get(reverse("admin:connectors_connector_changelist")))

    assert f'href="{reverse(DRAFT)}">New connector from OpenAPI, an issuer or cURL' in shown


@pytest.mark.django_db
def test_the_list_does_not_lead_those_there_who_may_not_add(client):
    staff(client, "view_connector")

    assert reverse(DRAFT) not in page(client.get(reverse("admin:connectors_connector_changelist")))
