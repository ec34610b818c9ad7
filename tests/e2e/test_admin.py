"""An administrator in a real browser: from nothing to a tenant's token, with scripts and without."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from connectors.models import AuthMethod, Connector
from tenants.models import Instance, Tenant
from tests.tenants.wizard.token_server import GOOD_SECRET, ISSUED

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse"


@pytest.fixture
def administrator(transactional_db):
    return User.objects.create_superuser("root", password=PASSWORD)


def sign_in(page):
    page.goto("/admin/login/")
    page.fill("[name=username]", "root")
    page.fill("[name=password]", PASSWORD)
    page.locator("button[type=submit]").click()
    page.wait_for_url(re.compile(r"/admin/$|/$|tenants"))


def open_tab(page, title):
    page.get_by_role("tab", name=title).click()


def save(page):
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_load_state("networkidle")


def test_makes_a_connector_and_a_method_and_gets_a_token(administrator, open_page, token_server):
    Tenant.objects.create(key="acme", name="Acme")
    page = open_page()
    sign_in(page)

    page.goto("/admin/connectors/connector/add/")
    page.fill("[name=name]", "Zoom")
    page.fill("[name=key]", "zoom")
    save(page)
    open_tab(page, "Authentication methods")
    page.get_by_role("link", name="Add authentication method").click()
    page.fill("[name=name]", "Machine")
    page.fill("[name=key]", "machine")
    page.fill("[name=token_url]", token_server.url)
    page.get_by_role("button", name="Save", exact=True).click()
    open_tab(page, "Variables")
    expect(page.locator("input[name=variables-3-key]")).to_have_value("client_secret")
    open_tab(page, "Headers")
    expect(page.locator("[name=headers-0-value]")).to_have_value("application/x-www-form-urlencoded")
    open_tab(page, "Token URL")
    query = page.locator('[data-rows="query"]')
    query.get_by_role("button", name="Add row").click()
    query.get_by_label("Name").fill("audience")
    query.get_by_label("Value").fill("https://api.example.com")
    save(page)

    method = AuthMethod.objects.get()
    assert method.token_request == {"url": token_server.url, "query": {"audience": "https://api.example.com"}}

    page.goto("/admin/tenants/instance/add/")
    page.select_option("[name=tenant]", label="Acme")
    page.select_option("[name=auth_method]", label="Zoom: Machine")
    page.get_by_role("button", name="Continue").click()
    page.fill("[name=v-client_id]", "the-client")
    page.fill("[name=v-client_secret]", GOOD_SECRET)
    page.get_by_role("button", name="Get access token").click()
    expect(page.get_by_text("Valid access token, expires on").first).to_be_visible()
    assert Instance.objects.get().status == "active"
    assert ISSUED not in page.content()
    assert GOOD_SECRET not in page.content()


def test_the_content_type_follows_the_format_and_is_left_unsaid(administrator, open_page, zoom):
    page = open_page()
    sign_in(page)
    page.goto(f"/admin/connectors/authmethod/{zoom.pk}/change/")

    open_tab(page, "Body")
    page.select_option("[name=body_format]", "json")
    open_tab(page, "Headers")

    expect(page.locator("[name=headers-0-value]")).to_have_value("application/json")
    save(page)
    zoom.refresh_from_db()
    assert "headers" not in zoom.token_request
    assert zoom.token_request["body_format"] == "json"


def test_a_refusal_opens_the_tab_where_it_stands_and_keeps_what_was_typed(administrator, open_page, zoom):
    page = open_page(width=360)
    sign_in(page)
    page.goto(f"/admin/connectors/authmethod/{zoom.pk}/change/")

    open_tab(page, "Body")
    page.locator("[name=body-0-value]").fill("{{nothing}}")
    open_tab(page, "Instructions")
    page.locator("[name=instructions]").fill("# Typed\n\nnow")
    save(page)

    expect(page.get_by_role("tab", name="Body")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("{{nothing}} names nothing here")).to_be_visible()
    expect(page.locator("[name=body-0-value]")).to_have_value("{{nothing}}")
    open_tab(page, "Instructions")
    expect(page.locator("[name=instructions]")).to_have_value("# Typed\n\nnow")


def test_the_preview_shows_what_is_typed(administrator, open_page, zoom):
    page = open_page()
    sign_in(page)
    page.goto(f"/admin/connectors/authmethod/{zoom.pk}/change/")
    open_tab(page, "Instructions")

    page.locator("[name=instructions]").fill("Copy the **secret**. <script>alert(1)</script>")

    expect(page.locator(".lk-preview strong")).to_have_text("secret")
    assert page.locator(".lk-preview script").count() == 0


def test_tabs_answer_to_the_keyboard(administrator, open_page, zoom):
    page = open_page()
    sign_in(page)
    page.goto(f"/admin/connectors/authmethod/{zoom.pk}/change/")

    page.get_by_role("tab", name="Method").focus()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_role("tab", name="Variables")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Variables")).to_be_visible()


def test_a_method_can_be_made_and_changed_without_scripts(administrator, open_page, token_server):
    connector = Connector.objects.create(key="zoom", name="Zoom")
    page = open_page(scripts=False)
    sign_in(page)

    page.goto(f"/admin/connectors/authmethod/add/?connector={connector.pk}")
    page.fill("[name=name]", "Machine")
    page.fill("[name=key]", "machine")
    page.fill("[name=token_url]", token_server.url)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[name=variables-0-label]")).to_be_visible()
    page.fill("[name=query-0-name]", "audience")
    page.fill("[name=query-0-value]", "x")
    page.get_by_role("button", name="Save and continue editing").click()

    method = AuthMethod.objects.get()
    assert method.variables.count() == 5
    assert method.token_request == {"url": token_server.url, "query": {"audience": "x"}}
