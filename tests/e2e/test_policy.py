"""The content security policy, as a browser enforces it."""

import pytest
from django.contrib.auth import get_user_model

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def complaints_on(page, *addresses):
    heard = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
    return heard


def test_the_admin_works_under_its_policy(open_page):
    get_user_model().objects.create_superuser("ada", password="correct horse")
    page = open_page()
    page.goto("/admin/")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "correct horse")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/admin/")

    complaints = complaints_on(page, "/admin/", "/admin/auth/user/", "/admin/auth/user/add/")

    assert complaints == []
