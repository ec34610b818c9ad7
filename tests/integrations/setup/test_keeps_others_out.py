"""A link opens its own session, and nothing else."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from integrations.models import Session
from tenants.models import Membership, Tenant
from tests.integrations.setup.conftest import session_of
from tests.integrations.setup.test_wizard import GOOD, send

PAGES = ["", "steps/1/", "steps/1/method/", "connecting/", "run/", "progress/", "end/"]
POSTED = ["steps/1/", "steps/1/method/", "end/", "cancel/"]
UNKNOWN = ["/setup/nonsense/", "/setup/lks_" + "a" * 43 + "/", "/setup/lks_" + "a" * 42 + "/"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("link", UNKNOWN)
def test_an_unknown_link_opens_nothing(db, browser, link, page):
    response = browser.get(link + page)

    assert response.status_code == 404
    assert "must be opened whole" in response.text


@pytest.mark.parametrize("page", PAGES)
def test_an_expired_link_says_so(make_link, browser, server, page):
    link = make_link(given={"meetings": GOOD})
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    response = browser.get(link + page)

    assert response.status_code == 410
    assert "This link has expired" in response.text
    assert "error=session_expired" in response.text
    assert server.requests == 0


@pytest.mark.parametrize("page", POSTED)
def test_an_expired_link_takes_nothing(make_link, browser, page):
    link = make_link()
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert browser.post(link + page, {"v-client_id": "x"}).status_code == 410


def test_a_used_link_says_so(make_link, browser, server):
    link = make_link(given={"meetings": GOOD})
    browser.get(link)

    response = browser.get(link)

    assert response.status_code == 410
    assert "complete already" in response.text
    assert server.requests == 1


def test_a_used_link_takes_nothing(make_link, browser, server):
    link = make_link(given={"meetings": GOOD})
    browser.get(link)

    for page in POSTED:
        assert browser.post(link + page, {"v-client_secret": "another"}).status_code < 400
    assert server.requests == 1
    assert session_of(link).state == "complete"


@pytest.mark.parametrize("who", ["owner", "other", "stranger", "administrator"])
def test_being_signed_in_is_of_no_account(make_link, server, who):
    link = make_link()
    user = User.objects.create_user(who, is_staff=who == "administrator", is_superuser=who == "administrator")
    if who in ("owner", "other"):
        tenant, _ = Tenant.objects.get_or_create(key="acme" if who == "owner" else "globex")
        Membership.objects.create(tenant=tenant, user=user)
    client = Client()
    client.force_login(user)

    page = client.get(f"{link}steps/1/")

    assert page.status_code == 200
    assert "Sign out" not in page.text
    assert "Administration" not in page.text


def test_a_link_signs_nobody_in(make_link, browser, server):
    link = make_link()
    response = browser.get(f"{link}steps/1/")
    send(browser, f"{link}steps/1/", **GOOD)

    assert response.cookies == browser.cookies == {}
    for page in ("/", "/t/acme/", "/t/acme/connect/", "/admin/"):
        assert browser.get(page).status_code == 302


def test_another_sites_page_cannot_post(make_link, browser):
    link = make_link()

    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        response = browser.post(f"{link}steps/1/", {"v-client_id": "x"}, headers=headers)
        assert response.status_code == 403
        assert "Nothing was changed" in response.text
    own = browser.post(f"{link}steps/1/", {"v-client_id": "x"}, headers={"Origin": "http://testserver"})
    assert own.status_code == 303


def test_the_link_is_not_told_to_other_sites_or_kept(make_link, browser):
    page = browser.get(f"{make_link()}steps/1/")

    assert page["Referrer-Policy"] == "same-origin"
    assert "no-store" in page["Cache-Control"]
    assert "noindex" in page["X-Robots-Tag"]
    assert "form-action 'self' https://app.example.com;" in page["Content-Security-Policy"] + ";"


def test_another_tenants_or_sessions_step_cannot_be_reached(make_link, browser):
    link = make_link()

    assert browser.get(f"{link}steps/0/").status_code == 404
    assert browser.get(f"{link}steps/2/").status_code == 404


def test_what_expires_while_it_is_being_connected_is_not_called_expired(make_link, browser, server):
    link = make_link(given={"meetings": GOOD})
    now = timezone.now()
    Session.objects.update(started_at=now, expires_at=now - timedelta(seconds=1))

    assert browser.get(f"{link}progress/").json() == {"next": None, "waits_for_run": False}
    assert "Connecting" in browser.get(f"{link}connecting/").text
    assert server.requests == 0


def test_a_session_whose_components_the_integration_no_longer_has_is_over(make_link, crm, browser):
    link = make_link()
    crm.components.all().delete()

    response = browser.get(link, follow=True)

    assert response.status_code == 410
    assert session_of(link).status(timezone.now()) == "expired"
