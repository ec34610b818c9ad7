"""An administrator adds from the catalogue in a real browser, and takes what is new there; with scripts and without."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from connectors.adopting import add, outdated_keys
from connectors.models import Connector
from tests.connectors.catalogue_versions import as_if_older, change_here
from tests.e2e.test_admin import PASSWORD, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def administrator(transactional_db):
    return User.objects.create_superuser("root", password=PASSWORD)


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("scripts", [True, False])
def test_finds_an_entry_looks_at_it_and_adds_it(administrator, open_page, scripts):
    page = open_page(scripts=scripts)
    sign_in(page)

    page.goto("/admin/connectors/connector/")
    page.get_by_role("link", name="Browse the catalogue").click()
    page.get_by_label("Search by name, key, description or category").fill("webinars")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("link", name="Zoom", exact=True).click()
    expect(page.get_by_label("Account ID")).to_have_attribute("placeholder", "AbCdEf123")
    expect(page.get_by_label("Grant type")).to_be_hidden()
    page.get_by_text("Advanced (2)").click()
    expect(page.get_by_label("Grant type")).to_be_visible()
    page.get_by_role("button", name="Add", exact=True).click()

    expect(page.get_by_text("Zoom was added")).to_be_visible()
    assert Connector.objects.get().catalogue_origin.entry == "zoom"


def test_takes_a_newer_version_and_keeps_what_was_changed_here(administrator, open_page):
    add({"zoom": "zoom"})
    as_if_older("zoom", description="Old words.", category="old")
    change_here("zoom", category="ours")
    page = open_page(scripts=False)
    sign_in(page)

    page.goto("/admin/connectors/connector/")
    page.get_by_role("link", name="A newer version").click()
    expect(page.get_by_role("checkbox", name="description")).to_be_checked()
    expect(page.get_by_role("checkbox", name="category")).not_to_be_checked()
    page.get_by_role("button", name="Take what is ticked, leave the rest").click()

    expect(page.get_by_text("Taken from the catalogue: zoom: changed (description).")).to_be_visible()
    assert Connector.objects.get().category == "ours"
    assert list(outdated_keys()) == []


@pytest.mark.parametrize("path", ["", "zoom/", "differences/zoom/"])
def test_the_pages_fit_a_narrow_screen(administrator, open_page, path):
    add({"zoom": "zoom"})
    as_if_older("zoom", description="Old words.")
    page = open_page(width=360)
    sign_in(page)

    page.goto(f"/admin/catalogue/{path}")
    page.wait_for_load_state("networkidle")

    expect(page.get_by_role("heading").first).to_be_visible()
    assert re.search("Zoom", page.content())
    assert fits(page)
