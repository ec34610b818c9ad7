"""A cURL command becomes a connector in a real browser, with scripts and without, on a wide screen and a narrow one."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from connectors.models import Connector

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse"
CURL = "curl 'https://login.example.com/<tenant>/token' -u 'id:s3cr3t' -d grant_type=client_credentials"


@pytest.mark.parametrize(("scripts", "width"), [(True, 1280), (False, 360)], ids=["scripts, wide", "plain, narrow"])
def test_a_pasted_command_is_drafted_looked_over_and_imported(open_page, scripts, width):
    User.objects.create_superuser("root", password=PASSWORD)
    page = open_page(scripts=scripts, width=width)
    page.goto("/admin/login/")
    page.fill("[name=username]", "root")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)

    page.goto("/admin/connectors/connector/")
    page.get_by_role("link", name=re.compile("New connector from OpenAPI")).click()
    page.fill("[name=text]", CURL)
    page.get_by_role("button", name="Make a draft").click()

    editor = page.locator("[name=text]")
    expect(editor).to_have_value(re.compile("client_authentication: client_secret_basic"))
    expect(page.get_by_text("base_url and test_request are left out").last).to_be_visible()
    assert page.locator("#import_form").bounding_box()["width"] <= width
    editor.fill(editor.input_value().replace("name: Example", "name: Acme"))
    page.get_by_role("button", name="Import").click()
    page.wait_for_url(re.compile("/connectors/connector/"))
    assert Connector.objects.get().name == "Acme"
