"""From the form to the result, with a real token endpoint behind it."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from connectors.models import AuthMethod, Connector
from tenants.models import Draft, Instance, Tenant
from tests.tenants.wizard.rows import SECRET, add_variable, make_instance, make_method
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET, ISSUED, TokenServer

FORM = "/t/acme/connect/zoom/credentials/"
pytestmark = pytest.mark.django_db(transaction=True)


def _sent(secret: str = GOOD_SECRET, **others: str) -> dict[str, str]:
    return {"v-client_id": "the-client", "v-client_secret": secret, **others}


def _connect(browser: Client, secret: str = GOOD_SECRET, **others: str) -> Any:
    """Send the form and follow it to the result, as a browser without scripts does."""
    waiting = browser.post(FORM, _sent(secret, **others), follow=True)
    refresh = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', waiting.content.decode())
    assert refresh, waiting.redirect_chain
    return browser.get(refresh[1], follow=True)


def test_the_right_credentials_are_connected(live_method: AuthMethod, acme: Tenant, browser_of_owner: Client) -> None:
    response = _connect(browser_of_owner)

    instance = acme.instances.get()
    assert instance.status == Instance.Status.ACTIVE
    assert "Authorization complete" in response.content.decode()
    assert f"{instance.token.expires_at:%H:%M}" in response.content.decode()
    assert f"{instance.token.refresh_at:%H:%M}" in response.content.decode()


def test_the_form_leads_on_by_get(live_method: AuthMethod, browser_of_owner: Client) -> None:
    response = browser_of_owner.post(FORM, _sent())

    assert response.status_code == 303
    assert response["Location"].endswith("/connecting/")


def test_wrong_credentials_leave_nothing_but_the_draft(
    live_method: AuthMethod, acme: Tenant, browser_of_owner: Client
) -> None:
    response = _connect(browser_of_owner, BAD_SECRET)

    page = response.content.decode()
    assert not Instance.objects.exists()
    assert "Authorization failed" in page
    assert "Unknown client." in page
    assert "What to do:" in page
    assert 'value="the-client"' in page
    assert "Kept; type to replace" in page


def test_after_a_failure_only_what_was_wrong_must_be_typed(
    live_method: AuthMethod, acme: Tenant, browser_of_owner: Client
) -> None:
    _connect(browser_of_owner, BAD_SECRET)
    draft = Draft.objects.get()

    browser_of_owner.post(
        reverse("wizard:draft", args=["acme", draft.pk]), {"v-client_id": "the-client", "v-client_secret": GOOD_SECRET}
    )
    response = browser_of_owner.get(reverse("wizard:run", args=["acme", draft.pk]), follow=True)

    assert "Authorization complete" in response.content.decode()
    assert acme.instances.count() == 1


@pytest.mark.parametrize("secret", [GOOD_SECRET, BAD_SECRET])
def test_no_secret_is_in_a_page_an_address_or_the_session(
    secret: str, live_method: AuthMethod, acme: Tenant, browser_of_owner: Client
) -> None:
    response = _connect(browser_of_owner, secret)
    pages = [response]
    if acme.instances.exists():
        pk = acme.instances.get().pk
        pages += [browser_of_owner.get(f"/t/acme/instances/{pk}/{page}") for page in ("", "reconnect/", "remove/")]

    seen = "".join(page.content.decode() for page in pages) + str(response.redirect_chain)
    seen += str([session.get_decoded() for session in Session.objects.all()])
    assert secret not in seen
    assert ISSUED not in seen


def test_a_form_sent_twice_connects_once(
    live_method: AuthMethod, token_server: TokenServer, acme: Tenant, browser_of_owner: Client
) -> None:
    draft = str(uuid4())

    for _ in range(2):
        browser_of_owner.post(FORM, _sent(draft=draft))
    for _ in range(3):
        browser_of_owner.get(reverse("wizard:run", args=["acme", draft]))
    again = browser_of_owner.post(FORM, _sent(draft=draft))

    assert token_server.requests == 1
    assert acme.instances.count() == 1
    assert again["Location"].endswith("/connected/")


def test_looking_ahead_makes_no_exchange(
    live_method: AuthMethod, token_server: TokenServer, browser_of_owner: Client
) -> None:
    location = browser_of_owner.post(FORM, _sent())["Location"]

    browser_of_owner.head(location.replace("connecting", "run"))

    assert token_server.requests == 0


def test_a_missing_value_is_said_beside_its_field(live_method: AuthMethod, browser_of_owner: Client) -> None:
    response = browser_of_owner.post(FORM, _sent(**{"v-client_id": ""}), follow=True)

    page = response.content.decode()
    assert '<a href="#v-client_id">Client ID</a>: This value is required.' in page
    assert 'aria-invalid="true" aria-describedby="v-client_id-error"' in page
    assert not Instance.objects.exists()


def test_a_value_of_the_wrong_form_is_refused_whatever_the_browser_checked(
    live_method: AuthMethod, token_server: TokenServer, browser_of_owner: Client
) -> None:
    add_variable(live_method, "account", pattern="[0-9]+", example="42")

    response = browser_of_owner.post(FORM, _sent(**{"v-account": "letters"}), follow=True)

    assert "does not have the expected form, such as 42" in response.content.decode()
    assert token_server.requests == 0


def test_a_second_connection_needs_a_name(live_method: AuthMethod, acme: Tenant, browser_of_owner: Client) -> None:
    assert 'id="name"' not in browser_of_owner.get(FORM).content.decode()
    make_instance(acme, live_method)
    assert 'id="name"' in browser_of_owner.get(FORM).content.decode()

    refused = browser_of_owner.post(FORM, _sent(name=""), follow=True)
    _connect(browser_of_owner, name="Europe")

    assert "Give it a name" in refused.content.decode()
    assert set(acme.instances.values_list("name", flat=True)) == {"", "Europe"}


def test_cancelling_forgets_what_was_typed(live_method: AuthMethod, browser_of_owner: Client) -> None:
    _connect(browser_of_owner, BAD_SECRET)

    browser_of_owner.post(reverse("wizard:cancel", args=["acme", Draft.objects.get().pk]))

    assert not Draft.objects.exists()


def test_reconnecting_keeps_a_secret_that_is_left_empty(
    live_method: AuthMethod, acme: Tenant, browser_of_owner: Client
) -> None:
    _connect(browser_of_owner)
    instance = acme.instances.get()
    address = reverse("wizard:reconnect", args=["acme", instance.pk])

    location = browser_of_owner.post(address, {"v-client_id": "renamed", "v-client_secret": ""})["Location"]
    browser_of_owner.get(location.replace("connecting", "run"))

    instance.filled_in.refresh_from_db()
    assert instance.filled_in.values == {"client_id": "renamed", "client_secret": GOOD_SECRET}


def test_reconnecting_with_wrong_credentials_keeps_the_old_ones(
    live_method: AuthMethod, acme: Tenant, browser_of_owner: Client
) -> None:
    _connect(browser_of_owner)
    instance = acme.instances.get()
    address = reverse("wizard:reconnect", args=["acme", instance.pk])

    location = browser_of_owner.post(address, {"v-client_id": "x", "v-client_secret": BAD_SECRET})["Location"]
    response = browser_of_owner.get(location.replace("connecting", "run"), follow=True)

    instance.filled_in.refresh_from_db()
    assert "goes on with its present values" in response.content.decode()
    assert instance.filled_in.values["client_secret"] == GOOD_SECRET


def test_a_reconnect_form_shows_all_but_secrets(instance: Instance, browser_of_owner: Client) -> None:
    page = browser_of_owner.get(reverse("wizard:reconnect", args=["acme", instance.pk])).content.decode()

    assert 'value="the-client"' in page
    assert SECRET not in page
    assert "Set on 1 Mar 2026, 12:00" in page


def test_where_there_is_one_method_none_is_chosen(live_method: AuthMethod, browser_of_owner: Client) -> None:
    address = reverse("wizard:choose-method", args=["acme", "zoom"])

    assert browser_of_owner.get(address)["Location"] == FORM
    make_method(live_method.connector, "other", name="Another way")
    assert "Another way" in browser_of_owner.get(address).content.decode()


def test_the_waiting_page_asks_how_far_it_is(live_method: AuthMethod, browser_of_owner: Client) -> None:
    location = browser_of_owner.post(FORM, _sent())["Location"]
    progress = location.replace("connecting", "progress")

    before = browser_of_owner.get(progress).json()
    browser_of_owner.get(location.replace("connecting", "run"))
    after = browser_of_owner.get(progress).json()

    assert before == {"next": None, "waits_for_run": True}
    assert after == {"next": location.replace("connecting", "connected"), "waits_for_run": False}


@pytest.mark.parametrize(
    ("query", "found"),
    [("?q=zoo", True), ("?q=meet+zoom", True), ("?q=twitch", False), ("?category=communication", True)],
)
def test_services_are_found_without_scripts(
    query: str, found: bool, connector: Connector, live_method: AuthMethod, browser_of_owner: Client
) -> None:
    response = browser_of_owner.get(reverse("wizard:choose-connector", args=["acme"]) + query)

    assert ("Meetings." in response.content.decode()) is found
