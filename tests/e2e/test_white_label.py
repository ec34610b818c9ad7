"""Branded pages, and a set-up that is handed on, in a real browser."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from integrations import links, sessions
from integrations.models import Brand, Component, Integration
from tenants.models import Instance
from tests.e2e.conftest import OpenPage
from tests.tenants.wizard.token_server import GOOD_SECRET

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Names below localhost lead to this machine, in every browser.
DOMAIN = "connect.localhost"
LOGO = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0cIDAT"
    b"x\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"
)
SHOTS = os.environ.get("SCREENSHOTS_DIR", "")


def shoot(page, name: str) -> None:
    wide, room = page.locator("html").evaluate("html => [html.scrollWidth, window.innerWidth]")
    assert wide <= room, page.url
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


@pytest.fixture
def crm(zoom, live_server, settings) -> Integration:
    settings.PUBLIC_URL = live_server.url
    settings.CUSTOM_DOMAINS = [DOMAIN]
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, DOMAIN]
    integration = Integration.objects.create(key="crm-sync", name="CRM sync")
    Component.objects.create(integration=integration, name="meetings", connector=zoom.connector)
    Brand.objects.create(
        integration=integration,
        name="Acme Connect",
        logo=LOGO,
        accent="#7a2aa0",
        header="#102a43",
        support_url="https://acme.example/help",
        custom_domain=DOMAIN,
    )
    return integration


@pytest.mark.parametrize("width", [1280, 360])
def test_branded_pages_have_their_colours_under_their_domain(crm, open_page: OpenPage, width):
    _, text = sessions.create(crm, tenant="acme", tenant_name="Acme Ltd")
    page = open_page(width=width)
    page.goto(links.url_of(text, crm))

    assert page.url.startswith(f"http://{DOMAIN}:")
    button = page.get_by_role("button", name="Connect", exact=True)
    expect(button).to_have_css("background-color", "rgb(122, 42, 160)")
    expect(page.locator("header.top")).to_have_css("background-color", "rgb(16, 42, 67)")
    expect(page).to_have_title("Connect Zoom · Acme Connect")
    assert "latchkey" not in page.content().lower()
    shoot(page, f"branded-{width}")
    page.get_by_label("Client ID").fill("the-client")
    page.locator("#v-client_secret").fill(GOOD_SECRET)
    button.click()
    expect(page.get_by_role("heading", name="Authorization complete")).to_be_visible()
    shoot(page, f"branded-complete-{width}")
    page.goto(f"{'/'.join(page.url.split('/')[:3])}/admin/")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    shoot(page, f"branded-nothing-{width}")
    assert page.context.cookies() == []


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_colleague_finishes_what_was_begun(crm, open_page: OpenPage, browser: Browser, scripts, width):
    _, text = sessions.create(crm, tenant="acme", tenant_name="Acme Ltd")
    page = open_page(scripts=scripts, width=width)
    page.goto(links.url_of(text, crm))
    page.get_by_label("Client ID").fill("the-client")
    shoot(page, f"step-{width}")
    page.get_by_role("button", name="Hand it on to a colleague").click()
    expect(page.get_by_role("heading", name="Send this link to your colleague")).to_be_visible()
    shoot(page, f"handed-{width}")

    colleague = open_page(scripts=scripts, width=width)
    colleague.goto(page.get_by_label("Link").input_value())
    expect(colleague.get_by_text("Acme Ltd asked you for this")).to_be_visible()
    expect(colleague.get_by_label("Client ID")).to_have_value("the-client")
    shoot(colleague, f"colleague-{width}")
    colleague.locator("#v-client_secret").fill(GOOD_SECRET)
    colleague.get_by_role("button", name="Connect", exact=True).click()
    expect(colleague.get_by_text("Acme Ltd sees that it is done")).to_be_visible()
    shoot(colleague, f"colleague-done-{width}")

    # By itself: by script, or by the page's own refresh, which takes a while and is waited for once.
    if not scripts and width == 360:
        page.reload()
    expect(page.get_by_role("heading", name="Authorization complete")).to_be_visible(timeout=60_000)
    assert Instance.objects.count() == 1
