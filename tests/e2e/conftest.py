"""A real browser, and a platform for it to open."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from connectors.models import AuthMethod, Connector
from tests.services import browser as installed
from tests.tenants.wizard.rows import make_method
from tests.tenants.wizard.token_server import TokenServer, running

# As root Chromium wants no sandbox; the others keep it from asking the network for things of its own.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = installed.find()
    if path is None:
        pytest.skip(f"no Chromium or Chrome is installed. {installed.REMEDY}")
    # Playwright's own loop runs in this thread; Django would take its queries for asynchronous ones.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(browser: Browser, live_server) -> Iterator[OpenPage]:
    """Opens a fresh browser window; what the content security policy refused fails the test."""
    contexts = []
    refused: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    def opened(*, scripts: bool = True, width: int = 1280) -> Page:
        context = browser.new_context(
            java_script_enabled=scripts, viewport={"width": width, "height": 800}, base_url=live_server.url
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert refused == []


@pytest.fixture
def token_server(settings) -> Iterator[TokenServer]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as server:
        yield server


@pytest.fixture
def zoom(transactional_db, token_server: TokenServer) -> AuthMethod:
    connector = Connector.objects.create(key="zoom", name="Zoom", description="Meetings.", category="communication")
    instructions = "1. Open the [console](https://example.com/console).\n2. Copy the client ID and the client secret."
    return make_method(connector, token_request={"url": token_server.url}, instructions=instructions)
