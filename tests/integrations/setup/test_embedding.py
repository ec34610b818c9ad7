"""Who may show the wizard in a frame or pop-up, and who is told how it goes."""

import json
import re
from pathlib import Path

import pytest

from connectors.oauth2.errors import ValidationFailed
from integrations import sessions
from integrations.models import Session
from tests.integrations.setup.conftest import session_of
from tests.integrations.setup.test_wizard import BAD, GOOD, send, walk

APP, SHOP = "https://app.example.com", "https://shop.example.com:8443"
SNIPPET = Path(__file__).parents[3] / "integrations/static/embed/latchkey.js"
DOCS = Path(__file__).parents[3] / "docs/embedding.md"


@pytest.fixture
def embeddable(crm):
    crm.allowed_origins = [APP, SHOP]
    crm.save()
    return crm


def told(response):
    """To whom the page's messages go, and the messages."""
    to = re.search(r'data-to="([^"]*)"', response.text)
    messages = re.search(r'<script id="messages" type="application/json">(.*?)</script>', response.text)
    return (to[1] if to else ""), (json.loads(messages[1]) if messages else [])


def test_without_allowed_origins_nobody_may_frame(make_link, browser, server):
    page = browser.get(f"{make_link()}steps/1/")

    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("page", ["", "steps/1/", "connecting/", "end/", "over/"])
def test_only_the_allowed_origins_may_frame(embeddable, make_link, browser, server, page):
    response = browser.get(f"{make_link()}{page}")

    directives = response["Content-Security-Policy"].split("; ")
    assert f"frame-ancestors {APP} {SHOP}" in directives
    assert "X-Frame-Options" not in response
    assert response["Cross-Origin-Opener-Policy"] == "unsafe-none"


def test_other_pages_are_never_framed(embeddable, browser, db):
    for address in ("/login/", "/setup/lks_" + "a" * 43 + "/", "/admin/login/"):
        response = browser.get(address)
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
        assert response["X-Frame-Options"] == "DENY"


def test_nothing_is_told_to_nobody(embeddable, make_link, browser, server):
    page = browser.get(f"{make_link()}steps/1/")

    assert told(page) == ("", [])
    assert "embed/" not in page.text


def test_the_declared_origin_is_told(embeddable, make_link, browser, server):
    link = make_link(origin=APP)

    page = walk(browser, browser.get(link))

    to, messages = told(page)
    session = session_of(link)
    assert to == APP
    assert messages == [
        {"type": "ready", "session": str(session.pk), "status": "open", "components": {"meetings": {"status": "open"}}}
    ]
    assert "lks_" not in json.dumps(messages)


def test_the_link_may_declare_it(embeddable, make_link, browser, server):
    link = make_link(origin=APP)

    page = walk(browser, browser.get(link, {"origin": SHOP, "auto_close": "1"}))

    assert told(page)[0] == SHOP
    assert session_of(link).auto_close


@pytest.mark.parametrize("origin", ["https://evil.example", "*", "null", f"{APP}/", "HTTPS://APP.EXAMPLE.COM"])
def test_no_other_origin_can_be_declared(embeddable, make_link, browser, server, origin):
    link = make_link(given={"meetings": GOOD})

    response = browser.get(link, {"origin": origin})

    assert response.status_code == 403
    assert "be shown here" in response.text
    assert session_of(link).origin == ""
    assert server.requests == 0
    with pytest.raises(ValidationFailed) as refused:
        sessions.create(embeddable, tenant="acme", origin=origin)
    assert list(refused.value.fields) == ["origin"]
    assert Session.objects.count() == 1


def test_an_origin_that_is_no_longer_allowed_is_told_nothing(embeddable, make_link, browser, server):
    link = make_link(origin=APP)
    embeddable.allowed_origins = [SHOP]
    embeddable.save()

    assert told(browser.get(f"{link}steps/1/")) == ("", [])


def test_the_end_is_a_page_that_tells(embeddable, make_link, browser, server):
    link = make_link(origin=APP, given={"meetings": GOOD}, auto_close=True)

    page = walk(browser, browser.get(link))

    session = session_of(link)
    components = {"meetings": {"status": "complete", "instance": str(session.parts.get().instance_id)}}
    expected = {"type": "finish", "session": str(session.pk), "status": "complete", "components": components}
    assert told(page)[1] == [expected]
    assert 'data-closes="yes"' in page.text
    # Without scripts, or with nobody there, the browser goes where it would have gone.
    assert f'data-next="https://app.example.com/done?from=latchkey&amp;session={session.pk}&amp;status=complete"' in (
        page.text
    )
    assert '<noscript><meta http-equiv="refresh" content="0; url=https://app.example.com/done?' in page.text


def test_a_failure_is_told_and_can_be_mended(embeddable, make_link, browser, server):
    link = make_link(origin=APP, auto_close=True)

    page = walk(browser, send(browser, f"{link}steps/1/", **BAD))

    ready, error = told(page)[1]
    assert ready["type"] == "ready"
    assert (error["type"], error["status"], error["error"]) == ("error", "failed", "credentials_refused")
    assert error["components"] == {"meetings": {"status": "failed", "error": "credentials_refused"}}
    assert 'data-closes=""' in page.text
    assert 'data-next=""' in page.text


def test_giving_up_is_told(embeddable, make_link, browser, server):
    link = make_link(origin=APP)

    page = walk(browser, browser.post(f"{link}cancel/"))

    assert told(page)[1][-1]["error"] == "cancelled"
    assert "status=failed&amp;error=cancelled" in page.text


def test_expiry_is_told(embeddable, make_link, browser, server):
    link = make_link(origin=APP)
    session = session_of(link)
    Session.objects.update(expires_at=session.created_at)

    (message,) = told(browser.get(link))[1]

    assert (message["type"], message["status"], message["error"]) == ("error", "expired", "session_expired")


def test_the_snippet_is_short_and_stands_in_the_docs():
    snippet = SNIPPET.read_text()

    assert len(snippet.splitlines()) <= 40
    assert snippet in DOCS.read_text()
    assert "event.origin !== url.origin || event.source !== wizard" in snippet
