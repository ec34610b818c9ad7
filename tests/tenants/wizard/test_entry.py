"""Coming in: signing in, and the page where one lands."""

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from tenants.models import Membership, Tenant
from tests.tenants.wizard.rows import PASSWORD

SIGN_IN = reverse("wizard:sign-in")


def _sign_in(user: User, password: str = PASSWORD, **others: str):
    return Client().post(SIGN_IN, {"username": user.username, "password": password, **others}, follow=True)


def test_with_one_tenant_one_lands_on_it(owner: User) -> None:
    response = _sign_in(owner)

    assert response.redirect_chain[-1][0] == "/t/acme/"
    assert "Acme Ltd" in response.content.decode()


def test_with_several_tenants_one_chooses(owner: User, globex: Tenant) -> None:
    Membership.objects.create(tenant=globex, user=owner)

    page = _sign_in(owner).content.decode()

    assert 'href="/t/acme/"' in page
    assert 'href="/t/globex/"' in page


def test_without_a_tenant_one_is_told_what_to_do(stranger: User) -> None:
    response = _sign_in(stranger)

    assert response.status_code == 200
    assert "Ask the administrator" in response.content.decode()


def test_staff_find_the_administration(stranger: User) -> None:
    assert reverse("admin:index") not in _sign_in(stranger).content.decode()

    stranger.is_staff = True
    stranger.save()

    assert reverse("admin:index") in _sign_in(stranger).content.decode()


def test_after_signing_in_one_is_where_one_wanted_to_be(owner: User) -> None:
    response = _sign_in(owner, next="/t/acme/connect/")

    assert response.redirect_chain[-1][0] == "/t/acme/connect/"


def test_signing_in_leads_to_no_other_site(owner: User) -> None:
    response = _sign_in(owner, next="https://evil.example/")

    assert response.redirect_chain[-1][0] == "/t/acme/"


def test_a_wrong_password_is_told_and_not_repeated(owner: User) -> None:
    page = _sign_in(owner, "something-wrong").content.decode()

    assert "match an account" in page
    assert "something-wrong" not in page


def test_signing_out_ends_the_session(browser_of_owner: Client) -> None:
    browser_of_owner.post(reverse("wizard:sign-out"))

    assert browser_of_owner.get("/t/acme/").status_code == 302


def test_a_form_from_elsewhere_is_refused_in_plain_words(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)

    response = browser.post("/t/acme/connect/zoom/credentials/", {})

    assert response.status_code == 403
    assert "The form has expired" in response.content.decode()


def test_pages_are_kept_in_no_cache(browser_of_owner: Client) -> None:
    assert "no-store" in browser_of_owner.get("/t/acme/")["Cache-Control"]


def test_a_missing_page_looks_like_the_others(db: None) -> None:
    response = Client().get("/no/such/page/")

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
    assert "Latchkey" in response.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_an_error_page_needs_nothing_to_be_shown(name: str) -> None:
    # Django shows its page for faults without a request, and so without anything that depends on one.
    page = render_to_string(f"{name}.html")

    assert "· Latchkey</title>" in page
    assert "<h1>" in page
