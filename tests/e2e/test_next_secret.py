"""A tenant's user changes a secret without an outage, in a real browser without scripts, on a narrow screen too."""

import os

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tenants.models import InstanceValues, Membership, NextValues, Tenant
from tests.tenants.wizard.rows import PASSWORD, make_instance
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 360])
def test_the_next_secret_waits_is_retired_into_place_and_fits_the_screen(open_page, zoom, width):
    acme = Tenant.objects.create(key="acme", name="Acme Ltd")
    Membership.objects.create(tenant=acme, user=User.objects.create_user("olivia", password=PASSWORD))
    instance = make_instance(acme, zoom)
    instance.filled_in.values = {"client_id": "the-client", "client_secret": GOOD_SECRET}
    instance.filled_in.save()
    page = open_page(scripts=False, width=width)

    def look(name):
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)

    page.goto(f"/t/acme/instances/{instance.pk}/")
    page.get_by_label("User name").fill("olivia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Secret")).to_be_visible()
    look("before")
    page.get_by_role("link", name="Add next secret").click()
    expect(page.get_by_label("Secret expires on")).to_be_visible()
    look("form")
    page.get_by_label("Client secret").fill(BAD_SECRET)
    page.get_by_label("Secret expires on").fill("2999-01-31")
    page.get_by_role("button", name="Add next secret").click()
    expect(page.get_by_text("Waits; refused so far")).to_be_visible()
    look("waiting")
    page.get_by_role("link", name="Retire the present one").click()
    expect(page.get_by_role("heading", name="Retire the present secret")).to_be_visible()
    look("retire")
    page.get_by_role("button", name="Retire the present one").click()
    expect(page.get_by_text("The present secret was retired.")).to_be_visible()
    page.get_by_role("link", name="Change when the secret expires").click()
    expect(page.get_by_label("Secret expires on")).to_have_value("2999-01-31")
    look("expiry")

    assert InstanceValues.objects.get().values["client_secret"] == BAD_SECRET
    assert not NextValues.objects.exists()
