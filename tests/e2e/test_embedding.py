"""The documented example page, on another site than the wizard, with third-party cookies blocked."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from integrations import keys, links, sessions
from integrations.models import Component, Integration, Session
from tests.e2e.conftest import ARGUMENTS
from tests.services import browser as installed
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("SCREENSHOTS_DIR", "")
EXAMPLE = Path(__file__).parents[2] / "docs/examples/embedding/host.py"


@pytest.fixture(scope="module")
def strict_browser(browser: Browser) -> Iterator[Browser]:
    """A browser of its own, since how cookies are treated is said when one starts."""
    path = installed.find()
    assert path is not None
    launched = browser.browser_type.launch(
        executable_path=path, args=[*ARGUMENTS, "--test-third-party-cookie-phaseout"]
    )
    yield launched
    launched.close()


@pytest.fixture
def crm(zoom, live_server, settings) -> Integration:
    # Another site than the host's 127.0.0.1, and not just another port.
    settings.PUBLIC_URL = live_server.url.replace("127.0.0.1", "localhost")
    integration = Integration.objects.create(key="crm-sync", name="CRM sync")
    Component.objects.create(integration=integration, name="meetings", connector=zoom.connector)
    return integration


@pytest.fixture
def host(crm: Integration, settings) -> Iterator[str]:
    """The example's address, allowed to embed the wizard."""
    _, key = keys.issue("the host", integration=crm, scopes=["sessions:write"])
    environment = {**os.environ, "LATCHKEY_URL": settings.PUBLIC_URL, "LATCHKEY_API_KEY": key, "PORT": "0"}
    arguments = [sys.executable, str(EXAMPLE), crm.key, "acme"]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        crm.allowed_origins = [address]
        crm.allowed_redirects = [f"{address}/"]
        crm.save()
        yield address
        process.terminate()


def opened(browser: Browser, *, width: int = 1280, scripts: bool = True) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def context(strict_browser: Browser) -> Iterator[BrowserContext]:
    yield from opened(strict_browser)


@pytest.fixture
def context_without_scripts(strict_browser: Browser) -> Iterator[BrowserContext]:
    yield from opened(strict_browser, scripts=False)


def logged(page: Page) -> list[dict]:
    return [json.loads(line) for line in page.locator("#log").inner_text().splitlines() if line]


def types(page: Page) -> list[str]:
    found = [message["type"].removeprefix("latchkey.") for message in logged(page)]
    return [name for index, name in enumerate(found) if index == 0 or found[index - 1] != name]


def shoot(page: Page, name: str) -> None:
    wide, room = page.locator("html").evaluate("html => [html.scrollWidth, window.innerWidth]")
    assert wide <= room
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def fill(wizard, secret: str) -> None:
    wizard.get_by_label("Client ID").fill("the-client")
    wizard.locator("#v-client_secret").fill(secret)


@pytest.mark.parametrize("width", [1280, 360])
def test_a_framed_wizard_tells_its_page_how_it_goes(context: BrowserContext, host: str, width: int):
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(host)
    page.get_by_role("button", name="Connect in this page").click()
    wizard = page.frame_locator("iframe")

    fill(wizard, BAD_SECRET)
    wizard.get_by_role("button", name="Connect", exact=True).click()
    expect(wizard.get_by_role("heading", name="Authorization failed")).to_be_visible()
    shoot(page, f"framed-{width}")
    fill(wizard, GOOD_SECRET)
    wizard.get_by_role("button", name="Try again").click()
    expect(page.locator("iframe")).to_have_count(0)

    session = Session.objects.get()
    assert types(page)[0] == "ready"
    assert types(page)[-2:] == ["finish", "close"]
    error = next(message for message in logged(page) if message["type"] == "latchkey.error")
    assert error["error"] == "credentials_refused"
    assert error["components"] == {"meetings": {"status": "failed", "error": "credentials_refused"}}
    instance = session.parts.get().instance
    assert instance is not None
    finish = next(message for message in logged(page) if message["type"] == "latchkey.finish")
    assert finish == {
        "type": "latchkey.finish",
        "session": str(session.pk),
        "status": "complete",
        "components": {"meetings": {"status": "complete", "instance": str(instance.pk)}},
    }
    assert page.url.rstrip("/") == host
    assert context.cookies() == []


def test_a_pop_up_tells_its_opener_and_closes(context: BrowserContext, host: str):
    page = context.new_page()
    page.goto(host)
    with page.expect_popup() as opening:
        page.get_by_role("button", name="Connect in a pop-up").click()
    wizard = opening.value

    with wizard.expect_event("close"):
        fill(wizard, GOOD_SECRET)
        wizard.get_by_role("button", name="Connect", exact=True).click()

    expect(page.locator("#log")).to_contain_text("latchkey.close")
    assert types(page) == ["ready", "finish", "close"]


def test_giving_up_is_told_as_an_error(context: BrowserContext, host: str):
    page = context.new_page()
    page.goto(host)
    page.get_by_role("button", name="Connect in this page").click()

    page.frame_locator("iframe").get_by_role("button", name="Cancel").click()
    expect(page.locator("iframe")).to_have_count(0)

    assert [message["error"] for message in logged(page) if message["type"] == "latchkey.error"] == ["cancelled"]
    assert types(page)[-1] == "close"


def test_a_page_that_is_not_allowed_can_neither_frame_nor_listen(context: BrowserContext, host: str, crm):
    crm.allowed_origins = ["https://another.example"]
    crm.save()
    page = context.new_page()
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(host)

    page.get_by_role("button", name="Connect in this page").click()
    expect(page.locator("iframe")).to_have_count(1)
    page.wait_for_function("() => true")
    frame = page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    page.wait_for_timeout(2000)

    assert any("frame-ancestors" in text for text in refused)
    assert "Connect Zoom" not in frame.content()
    assert logged(page) == []


def test_a_frame_without_scripts_is_led_back(context_without_scripts: BrowserContext, host: str, crm, settings):
    _, text = sessions.create(crm, tenant="acme", redirect_url=f"{host}/back", origin=host)
    page = context_without_scripts.new_page()
    page.goto(host)
    page.set_content(f'<!doctype html><iframe src="{links.url_of(text)}" width="900" height="800"></iframe>')
    wizard = page.frame_locator("iframe")

    fill(wizard, GOOD_SECRET)
    wizard.get_by_role("button", name="Connect", exact=True).click()

    expect(wizard.get_by_role("heading", name="Connections")).to_be_visible()
    assert any(f"{host}/back?session=" in frame.url and "status=complete" in frame.url for frame in page.frames)


def test_where_nobody_listens_the_browser_is_led_back(context: BrowserContext, host: str, crm):
    _, text = sessions.create(crm, tenant="acme", redirect_url=f"{host}/back", origin=host)
    page = context.new_page()
    page.goto(links.url_of(text))

    fill(page, GOOD_SECRET)
    page.get_by_role("button", name="Connect", exact=True).click()

    page.wait_for_url(f"{host}/back?session=*&status=complete")
