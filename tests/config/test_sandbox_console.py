"""The sandbox's console: where a client ID is found and a secret is made."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from oauth2_provider.models import Application

from config.sandbox.models import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return User.objects.create_user("owner")


@pytest.fixture
def other():
    return User.objects.create_user("other")


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def registered(owner):
    return Client.objects.register(owner=owner, name="Reporting")


def form(**changes):
    return {"name": "Reporting", "scopes": ["read"], "token_lifetime": "120", **changes}


def shown_secret(response):
    (secret,) = re.findall(r"Client secret</dt><dd><code>(\w{48})</code>", response.content.decode())
    return secret


def ask_for_token(client, client_id, secret):
    credentials = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return client.post(reverse("sandbox:token"), credentials)


def test_creating_a_client_shows_an_id_and_a_secret_that_work(signed_in, owner):
    response = signed_in.post(reverse("sandbox:create"), form())

    client = Client.objects.of(owner).get()
    assert client.application.client_id in response.content.decode()
    token = ask_for_token(signed_in, client.application.client_id, shown_secret(response)).json()
    assert (token["scope"], token["expires_in"]) == ("read", 120)


def test_a_client_without_a_scope_is_not_made_and_the_form_says_why(signed_in):
    response = signed_in.post(reverse("sandbox:create"), form(scopes=[]))

    assert "This field is required." in response.content.decode()
    assert not Client.objects.exists()


def test_the_secret_is_shown_once_and_kept_nowhere(signed_in, owner):
    secret = shown_secret(signed_in.post(reverse("sandbox:create"), form()))

    pages = [reverse("sandbox:clients"), reverse("sandbox:client", args=[Client.objects.get().pk])]
    assert all(secret not in signed_in.get(page).content.decode() for page in pages)
    assert secret not in str(Application.objects.values_list()) + str(dict(signed_in.session))


def test_the_page_with_the_secret_is_not_kept_by_browsers(signed_in):
    response = signed_in.post(reverse("sandbox:create"), form())

    assert "no-store" in response["Cache-Control"]


def test_a_new_secret_works_and_the_one_before_does_not(signed_in, registered):
    client, before = registered

    new = shown_secret(signed_in.post(reverse("sandbox:renew-secret", args=[client.pk])))

    assert ask_for_token(signed_in, client.application.client_id, new).status_code == 200
    assert ask_for_token(signed_in, client.application.client_id, before).status_code == 401


def test_a_revoked_secret_is_refused_and_the_console_says_so(signed_in, registered):
    client, secret = registered

    page = signed_in.post(reverse("sandbox:revoke-secret", args=[client.pk]), follow=True).content.decode()

    assert "token requests are refused until you make a new one" in page
    assert ask_for_token(signed_in, client.application.client_id, secret).json() == {"error": "invalid_client"}


def test_the_console_counts_the_tokens_that_were_issued(signed_in, registered):
    client, secret = registered
    for _ in range(3):
        ask_for_token(signed_in, client.application.client_id, secret)

    page = signed_in.get(reverse("sandbox:client", args=[client.pk])).content.decode()

    assert re.search(r"Tokens issued</dt>\s*<dd>3, the last on", page)


def test_tokens_are_kept_as_checksums_alone(signed_in, registered):
    client, secret = registered

    token = ask_for_token(signed_in, client.application.client_id, secret).json()["access_token"]

    issued = client.application.accesstoken_set.values_list()
    assert len(issued) == 1
    assert token not in str(issued)


def test_deleting_a_client_makes_its_tokens_worthless(signed_in, registered):
    client, secret = registered
    token = ask_for_token(signed_in, client.application.client_id, secret).json()["access_token"]

    signed_in.post(reverse("sandbox:delete", args=[client.pk]))

    answer = signed_in.get(reverse("sandbox:me"), headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert not Client.objects.exists()


@pytest.mark.parametrize("action", ["client", "renew-secret", "revoke-secret", "revoke-tokens", "delete"])
def test_another_users_client_does_not_exist(client, other, registered, action):
    client.force_login(other)
    address = reverse(f"sandbox:{action}", args=[registered[0].pk])

    response = client.get(address) if action == "client" else client.post(address)

    assert response.status_code == 404
    assert ask_for_token(client, registered[0].application.client_id, registered[1]).status_code == 200


def test_another_users_clients_are_not_listed(client, other, registered):
    client.force_login(other)

    page = client.get(reverse("sandbox:clients")).content.decode()

    assert registered[0].application.client_id not in page


@pytest.mark.parametrize("page", ["clients", "create"])
def test_a_stranger_is_asked_to_sign_in(client, page):
    response = client.get(reverse(f"sandbox:{page}"))

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic bm9uc2Vuc2U="])
def test_the_api_asks_for_a_bearer_token(client, authorization):
    response = client.get(reverse("sandbox:me"), headers={"Authorization": authorization})

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith('Bearer realm="sandbox"')


@pytest.mark.parametrize("body", [b"", b"[]", b'{"name": ""}', b'{"name": 7}', b"[" * 100_000, b"\xff"])
def test_the_api_refuses_a_body_that_holds_no_name(client, registered, body):
    token = ask_for_token(client, registered[0].application.client_id, registered[1]).json()["access_token"]

    response = client.patch(
        reverse("sandbox:me"), body, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
    )

    assert response.status_code == 422
    assert Application.objects.get().name == "Reporting"
