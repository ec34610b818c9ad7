"""A customer of the host opens a set-up link in a real browser."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import expect

from connectors.models import AuthMethod, Connector
from integrations import links, sessions
from integrations.models import Component, Integration
from tenants.models import Instance
from tests.e2e.conftest import OpenPage
from tests.services.loopback import serving
from tests.tenants.wizard.rows import add_variable, make_method
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GOOD = {"client_id": "the-client", "client_secret": GOOD_SECRET}


class _HostPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = b"<!doctype html><title>The host</title><h1>Back in the application</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    """The host application's own address, of another origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _HostPage)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}/"


@pytest.fixture
def crm(zoom: AuthMethod, host: str) -> Integration:
    chat = make_method(Connector.objects.create(key="chat", name="Chat"), token_request=zoom.token_request)
    add_variable(chat, "account", label="Account", display="read_only", default="standard")
    integration = Integration.objects.create(key="crm-sync", name="CRM sync", allowed_redirects=[host])
    for position, method in enumerate((zoom, chat)):
        Component.objects.create(
            integration=integration, name=method.connector.key, connector=method.connector, position=position
        )
    return integration


def link_of(crm: Integration, host: str, **wanted: Any) -> str:
    _, text = sessions.create(crm, tenant="acme", tenant_name="Acme Ltd", redirect_url=f"{host}?a=b", **wanted)
    return links.url_of(text).removeprefix("http://127.0.0.1:8000")


def _fits(page) -> None:
    wide, room = page.locator("html").evaluate("html => [html.scrollWidth, window.innerWidth]")
    assert wide <= room, page.url


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_two_components_are_set_up_and_the_browser_comes_back(crm, host, open_page: OpenPage, scripts, width):
    page = open_page(scripts=scripts, width=width)
    page.goto(link_of(crm, host, given={"chat": {"client_id": "from-the-backend"}}))

    expect(page.get_by_text("1 of 2")).to_be_visible()
    _fits(page)
    page.get_by_label("Client ID").fill("the-client")
    page.locator("#v-client_secret").fill(GOOD_SECRET)
    page.get_by_role("button", name="Next").click()

    expect(page.get_by_text("2 of 2")).to_be_visible()
    expect(page.get_by_text("from-the-backend")).to_be_visible()
    _fits(page)
    page.locator("#v-client_secret").fill(BAD_SECRET)
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("heading", name="Authorization failed")).to_be_visible()
    assert BAD_SECRET not in page.content()
    assert not Instance.objects.exists()
    _fits(page)
    page.locator("#v-client_secret").fill(GOOD_SECRET)
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("heading", name="Back in the application")).to_be_visible()
    assert page.url.startswith(f"{host}?a=b&session=")
    assert page.url.endswith("&status=complete")
    assert Instance.objects.count() == 2
    assert page.context.cookies() == []


def test_input_that_answers_everything_needs_no_page(crm, host, open_page: OpenPage):
    page = open_page()
    seen = []
    page.on("framenavigated", lambda frame: seen.append(frame.url))

    page.goto(link_of(crm, host, given={"zoom": GOOD, "chat": GOOD}))

    expect(page.get_by_role("heading", name="Back in the application")).to_be_visible()
    assert page.url.endswith("&status=complete")
    assert [url for url in seen if url != "about:blank"] == [page.url]


def test_cancelling_leads_back_to_the_application(crm, host, open_page: OpenPage):
    page = open_page(scripts=False)
    page.goto(link_of(crm, host))

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("heading", name="Back in the application")).to_be_visible()
    assert page.url.endswith("&status=failed&error=cancelled")


def test_no_cookie_is_needed(crm, host, open_page: OpenPage):
    page = open_page()
    page.goto(link_of(crm, host))

    status, text = page.evaluate(
        """async address => {
            const body = new URLSearchParams({"v-client_id": "the-client"});
            const sent = await fetch(address, {method: "POST", body, credentials: "omit"});
            return [sent.status, await sent.text()];
        }""",
        page.url,
    )

    assert status == 200
    assert "This value is required." in text
