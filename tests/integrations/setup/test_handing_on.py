"""A colleague who has the credentials is given a link of their own."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import links
from integrations.models import HandOn, Session
from tenants.models import Instance
from tests.integrations.setup.conftest import session_of
from tests.integrations.setup.test_wizard import BAD, GOOD, send, walk
from tests.tenants.wizard.rows import make_method
from tests.tenants.wizard.token_server import GOOD_SECRET

OUR_PAGES = ["", "steps/1/", "steps/1/method/", "connecting/", "run/", "progress/", "end/", "over/"]


def hand_on(browser, link, number=1, **typed):
    """Hand it on from a step; the colleague's link."""
    values = {f"v-{name}": value for name, value in typed.items()}
    response = browser.post(f"{link}steps/{number}/", {**values, "hand_on": "yes"})
    assert response["Location"] == f"{link}handed/"
    return link_on(browser.get(f"{link}handed/"))


def link_on(page) -> str:
    found = re.search(r'value="http://127.0.0.1:8000(/setup/lks_[^"]+)"', page.text)
    assert found is not None
    return found[1]


def test_a_colleague_completes_it_and_the_first_one_goes_on(make_link, browser, server):
    link = make_link()
    colleague = hand_on(browser, link, client_id="typed-before")

    asked = walk(browser, browser.get(colleague))
    assert "Acme Ltd asked you for this" in asked.text
    assert "typed-before" in asked.text
    assert "Your colleague opened it" in browser.get(f"{link}handed/").text
    done = walk(browser, send(browser, f"{colleague}steps/1/", **GOOD))

    assert "Acme Ltd sees that it is done" in done.text
    assert "app.example.com" not in done.text
    back = browser.get(f"{link}handed/")
    assert (
        back["Location"] == f"https://app.example.com/done?from=latchkey&session={session_of(link).pk}&status=complete"
    )
    assert Instance.objects.count() == 1


def test_neither_link_completes_it_again(make_link, browser, server):
    link = make_link()
    colleague = hand_on(browser, link)
    walk(browser, send(browser, f"{colleague}steps/1/", **GOOD))

    for one in (link, colleague):
        assert browser.get(one).status_code == 410
        send(browser, f"{one}steps/1/", client_id="another", client_secret="another")
        browser.get(f"{one}run/")
    assert server.requests == 1
    assert Instance.objects.get().filled_in.values == GOOD


def test_the_colleague_sees_no_secret_and_no_other_step(make_link, browser, chat, server):
    link = make_link()
    send(browser, f"{link}steps/1/", client_id="own-id", client_secret="own-secret")
    colleague = hand_on(browser, link, 2, client_secret="half-secret")

    page = walk(browser, browser.get(colleague))

    assert "Connect Chat" in page.text
    assert "Zoom" not in page.text
    for hidden in ("own-id", "own-secret", "half-secret", link, session_of(link).redirect_url):
        assert hidden not in page.text
    assert browser.get(f"{colleague}steps/2/").status_code == 404
    for address in ("handed/", "take-back/"):
        browser.get(colleague + address)
        browser.post(colleague + address)
    browser.post(f"{colleague}steps/1/", {"hand_on": "yes"})
    assert HandOn.objects.get().end == ""


@pytest.mark.parametrize("page", OUR_PAGES)
def test_who_handed_it_on_waits(make_link, browser, server, page):
    link = make_link()
    hand_on(browser, link)

    assert browser.get(link + page)["Location"] == f"{link}handed/"
    if page == "steps/1/":
        assert send(browser, link + page, **GOOD)["Location"] == f"{link}handed/"
    assert server.requests == 0
    assert '<meta http-equiv="refresh" content="20">' in browser.get(f"{link}handed/").text


@pytest.mark.parametrize("page", OUR_PAGES)
def test_what_was_taken_back_opens_nothing(make_link, browser, server, page):
    link = make_link()
    colleague = hand_on(browser, link, **GOOD)

    back = walk(browser, browser.post(f"{link}take-back/"))

    assert "the-client" in back.text  # what was typed is kept
    response = browser.get(colleague + page)
    assert response.status_code == 410
    assert "was taken back" in response.text
    assert send(browser, f"{colleague}steps/1/", client_secret="another").status_code == 410
    assert server.requests == 0


def test_a_new_link_ends_the_one_before(make_link, browser, server):
    link = make_link()
    first = hand_on(browser, link)
    browser.post(f"{link}take-back/")
    second = hand_on(browser, link)

    assert first != second
    assert browser.get(first).status_code == 410
    assert browser.get(second).status_code == 303


def test_who_cannot_help_passes_it_back(make_link, browser, server):
    link = make_link()
    colleague = hand_on(browser, link, client_id="typed-before")

    gone = browser.get(browser.post(f"{colleague}cancel/")["Location"])

    assert "You passed it back" in gone.text
    assert "Your colleague passed it back" in browser.get(f"{link}handed/").text
    assert "typed-before" in walk(browser, browser.get(link)).text
    assert session_of(link).state == Session.State.OPEN


def test_what_the_colleague_cannot_mend_goes_back(make_link, browser, chat, server):
    link = make_link()
    send(browser, f"{link}steps/1/", **BAD)
    colleague = hand_on(browser, link, 2)

    end = walk(browser, send(browser, f"{colleague}steps/1/", **GOOD))

    assert "Your part is done" in end.text
    assert "Your colleague is done" in browser.get(f"{link}handed/").text
    mended = walk(browser, send(browser, f"{link}steps/1/", client_secret=GOOD_SECRET))
    assert mended["Location"].endswith("&status=complete")
    assert Instance.objects.count() == 2


def test_a_refusal_can_be_mended_by_the_colleague(make_link, browser, server):
    link = make_link()
    colleague = hand_on(browser, link)

    refused = walk(browser, send(browser, f"{colleague}steps/1/", **BAD))

    assert "Authorization failed" in refused.text
    assert "Thank you" in walk(browser, send(browser, f"{colleague}steps/1/", **GOOD)).text


def test_it_never_outlives_the_session_nor_a_day(make_link, browser, server):
    short, long = make_link(), make_link(expires_in=7 * 24 * 3600)
    hand_on(browser, short)
    hand_on(browser, long)

    short_session, long_session = session_of(short), session_of(long)
    assert short_session.hand_ons.get().expires_at == short_session.expires_at
    handed = long_session.hand_ons.get()
    assert handed.expires_at == handed.created_at + timedelta(days=1)


def test_an_expired_one_says_so_on_both_sides(make_link, browser, server):
    link = make_link()
    colleague = hand_on(browser, link)
    HandOn.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert "This link has expired" in browser.get(f"{colleague}steps/1/").text
    assert "link has expired" in browser.get(f"{link}handed/").text
    assert walk(browser, browser.get(link)).status_code == 200
    assert browser.get(hand_on(browser, link)).status_code == 303


def test_the_link_is_stored_nowhere_and_leads_to_no_other(make_link, browser, server):
    link = make_link()
    colleague = hand_on(browser, link)

    text = colleague.split("/")[2]
    handed = HandOn.objects.get()
    assert text not in repr(HandOn.objects.values().get())
    assert links.find(text) is None
    assert links.derived(text, handed.nonce)[1] != link.split("/")[2]


def test_a_colleagues_wizard_is_never_framed(crm, make_link, browser, server):
    crm.allowed_origins = ["https://app.example.com"]
    crm.save()
    link = make_link(origin="https://app.example.com")
    colleague = hand_on(browser, link)

    page = browser.get(f"{colleague}steps/1/")

    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert 'id="embedding"' not in page.text


def test_it_is_handed_on_before_a_method_is_chosen(make_link, browser, server, crm, zoom):
    make_method(zoom.connector, key="second", name="Second")
    crm.components.update(auth_method=None)
    link = make_link()

    browser.post(f"{link}steps/1/method/", {"hand_on": "yes"})

    page = walk(browser, browser.get(link_on(browser.get(f"{link}handed/"))))
    assert "How do you want to connect Zoom?" in page.text
    assert "Acme Ltd asked you" in page.text
