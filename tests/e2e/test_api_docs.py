"""The API's documentation page, in a browser."""

import pytest

from tests.integrations.api.conftest import acme, crm, instance, make_key, server, zoom  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_page_lists_every_call_and_asks_no_other_host(live_server, open_page):
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto("/api/v1/docs")
    page.get_by_text("/api/v1/instances/{instance_id}/refresh").wait_for()

    assert page.locator(".opblock").count() == 17
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []


def test_an_answer_can_be_tried_out(open_page, make_key, instance):  # noqa: F811 (fixtures)
    page = open_page()
    page.goto("/api/v1/docs")

    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("Value").or_(page.locator(".auth-container input")).first.fill(make_key())
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".btn-done").click()
    page.get_by_text("List instances").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    page.locator(".live-responses-table").get_by_text(str(instance.pk)).first.wait_for()
