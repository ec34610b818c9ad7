"""An administrator tries a method in a real browser: a wrong secret, a wrong way to send it, and its remedy."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.connectors.admin.providers import SECRET, TOKEN, running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse"


@pytest.fixture
def administrator(transactional_db):
    return User.objects.create_superuser("root", password=PASSWORD)


@pytest.fixture
def provider(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as server:
        yield server


@pytest.fixture
def method(zoom, provider):
    zoom.token_request = {"url": f"{provider.url}/token"}
    zoom.test_request = {"url": f"{provider.url}/me"}
    zoom.save()
    return zoom


def open_method(page, method):
    page.goto("/admin/login/")
    page.fill("[name=username]", "root")
    page.fill("[name=password]", PASSWORD)
    page.locator("button[type=submit]").click()
    page.wait_for_url(re.compile(r"/admin/$|/$|tenants"))
    page.goto(f"/admin/connectors/authmethod/{method.pk}/change/#panel-try-it")


@pytest.mark.parametrize(("scripts", "width"), [(True, 1280), (True, 360), (False, 1280)])
def test_finds_the_way_that_works_and_saves_it(administrator, open_page, method, provider, scripts, width):
    page = open_page(scripts=scripts, width=width)
    open_method(page, method)

    page.fill("[name=try-client_id]", "the-id")
    page.fill("[name=try-client_secret]", SECRET)
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.get_by_text("invalid_client").first).to_be_visible()
    page.get_by_role("button", name=re.compile("other way")).click()
    expect(page.get_by_text("It is filled in on this page.")).to_be_visible()
    expect(page.get_by_text("A token was issued, and the API accepts it.")).to_be_visible()
    content = page.content()
    method.refresh_from_db()
    assert "client_authentication" not in method.token_request
    page.get_by_role("button", name="Save and continue editing").last.click()
    page.wait_for_load_state("networkidle")

    method.refresh_from_db()
    assert method.token_request["client_authentication"] == "client_secret_basic"
    assert SECRET not in content
    assert TOKEN not in content
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
