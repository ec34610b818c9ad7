"""A draft goes from one member of a tenant to another, in a real browser without scripts, on a narrow screen too."""

import os

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tenants.models import Instance, Membership, Tenant
from tests.tenants.wizard.rows import PASSWORD
from tests.tenants.wizard.token_server import GOOD_SECRET

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 360])
def test_a_colleague_finishes_what_another_member_began(open_page, live_server, settings, zoom, width):
    settings.PUBLIC_URL = live_server.url
    acme = Tenant.objects.create(key="acme", name="Acme Ltd")
    for name in ("olivia", "clara"):
        Membership.objects.create(tenant=acme, user=User.objects.create_user(name, password=PASSWORD))

    def look(page, name, shown):
        expect(page.get_by_text(shown).first).to_be_visible()
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert GOOD_SECRET not in page.content()
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)

    def sign_in(page, name):
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

    hers, theirs = open_page(scripts=False, width=width), open_page(scripts=False, width=width)
    hers.goto("/t/acme/connect/zoom/credentials/")
    sign_in(hers, "olivia")
    look(hers, "begun", "Somebody else has the credentials?")
    hers.get_by_label("Client secret").fill(GOOD_SECRET)
    hers.get_by_role("button", name="Hand it on to a colleague").click()
    look(hers, "handed", "Nobody has taken it over yet")
    theirs.goto(hers.get_by_label("Link").input_value())
    sign_in(theirs, "clara")
    look(theirs, "asked", "olivia asks you to connect Zoom")
    theirs.get_by_role("button", name="Take it over").click()
    look(theirs, "taken-over", "olivia began this")
    theirs.get_by_label("Client ID").fill("the-client")
    hers.reload()
    look(hers, "gone", "clara has taken it over")
    theirs.get_by_role("button", name="Connect").click()
    theirs.wait_for_url("**/connected/")
    hers.reload()
    look(hers, "done", "Zoom is connected")

    assert Instance.objects.get().status == Instance.Status.ACTIVE
