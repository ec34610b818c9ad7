"""The pages behind a set-up link."""

from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.models import SessionPart
from tenants.models import Instance, Tenant
from tests.integrations.setup.conftest import session_of
from tests.tenants.wizard.rows import add_variable, make_instance, make_method
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET

GOOD = {"client_id": "the-client", "client_secret": GOOD_SECRET}
BAD = {"client_id": "the-client", "client_secret": BAD_SECRET}


def outcome(response):
    """Where the host is told how it ended, and what it is told."""
    assert response.status_code == 303
    url = urlsplit(response["Location"])
    return f"{url.scheme}://{url.netloc}{url.path}", {name: value[0] for name, value in parse_qs(url.query).items()}


def send(browser, url, **values):
    return browser.post(url, {f"v-{name}": value for name, value in values.items()})


def walk(browser, response):
    """Follow to where the browser ends up on this site, or to the host."""
    while response.status_code == 303 and response["Location"].startswith("/"):
        target = response["Location"]
        response = browser.get(target.replace("/connecting/", "/run/"))
    return response


def test_input_that_answers_everything_shows_no_screen(make_link, browser, server):
    link = make_link(given={"meetings": GOOD})

    response = browser.get(link)

    session = session_of(link)
    assert outcome(response) == (
        "https://app.example.com/done",
        {"from": "latchkey", "session": str(session.pk), "status": "complete"},
    )
    assert session.status(session.created_at) == "complete"
    assert Instance.objects.get().status == "active"


def test_a_refusal_goes_back_to_the_host_with_its_code(make_link, browser, server):
    link = make_link(given={"meetings": BAD})

    _, said = outcome(browser.get(link))

    assert (said["status"], said["error"]) == ("failed", "credentials_refused")
    assert not Instance.objects.exists()


def test_without_a_redirect_url_the_end_is_told_in_words(make_link, browser, server):
    good = walk(browser, browser.get(make_link(given={"meetings": GOOD}, redirect_url="")))
    bad = walk(browser, browser.get(make_link(given={"meetings": BAD}, redirect_url="")))

    assert "Authorization complete" in good.text
    assert "You can close this window" in good.text
    assert "Authorization failed" in bad.text
    assert "Try again" in bad.text


@pytest.mark.parametrize(
    "asking",
    [
        lambda browser, link: browser.head(link),
        lambda browser, link: browser.get(link, headers={"Sec-Purpose": "prefetch"}),
        lambda browser, link: browser.get(link, headers={"Sec-Fetch-Dest": "empty"}),
    ],
    ids=["head", "prefetch", "fetch"],
)
def test_who_only_looks_at_the_link_starts_nothing(make_link, browser, server, asking):
    link = make_link(given={"meetings": GOOD})

    assert asking(browser, link).status_code == 200

    assert server.requests == 0
    assert outcome(browser.get(link, headers={"Sec-Fetch-Dest": "iframe"}))[1]["status"] == "complete"


def test_only_what_is_missing_is_asked_for(make_link, browser, zoom, server):
    add_variable(zoom, "region", label="Region", required=False)
    add_variable(zoom, "hidden", label="Invisible", display="hidden")
    link = make_link(given={"meetings": {"client_id": "visible-id", "hidden": "unseen"}})

    page = browser.get(walk(browser, browser.get(link)).request["PATH_INFO"])

    assert 'name="v-client_secret"' in page.text
    assert 'name="v-region"' in page.text
    assert 'name="v-client_id"' not in page.text
    assert "visible-id" in page.text
    assert "Invisible" not in page.text
    assert "unseen" not in page.text


def test_a_secret_of_the_backends_is_never_shown(make_link, browser, server):
    page = walk(browser, browser.get(make_link(given={"meetings": {"client_secret": GOOD_SECRET}})))

    assert GOOD_SECRET not in page.text
    assert "Already set" in page.text


def test_what_the_backend_gave_cannot_be_changed_by_posting(make_link, browser, server):
    link = make_link(given={"meetings": {"client_id": "the-client"}})

    walk(browser, send(browser, f"{link}steps/1/", client_id="another", client_secret=GOOD_SECRET))

    assert Instance.objects.get().filled_in.values == GOOD


def test_the_wizard_connects_and_goes_back_to_the_host(make_link, browser, server):
    link = make_link()

    response = walk(browser, send(browser, f"{link}steps/1/", **GOOD))

    assert outcome(response)[1]["status"] == "complete"
    assert SessionPart.objects.get().values == {}


def test_several_components_are_steps_and_stored_together(make_link, browser, chat, server):
    link = make_link()
    first = walk(browser, browser.get(link))
    assert "1 of 2" in first.text
    assert "Connect Zoom" in first.text

    second = walk(browser, send(browser, f"{link}steps/1/", **GOOD))
    assert "2 of 2" in second.text
    assert "Connect Chat" in second.text
    assert (server.requests, Instance.objects.count()) == (0, 0)

    done = walk(browser, send(browser, f"{link}steps/2/", **GOOD))
    assert outcome(done)[1]["status"] == "complete"
    assert Instance.objects.count() == 2


def test_a_component_that_is_answered_is_no_step(make_link, browser, chat, server):
    link = make_link(given={"meetings": GOOD})

    page = walk(browser, browser.get(link))

    assert "Connect Chat" in page.text
    assert "of 2" not in page.text
    assert outcome(walk(browser, send(browser, f"{link}steps/1/", **GOOD)))[1]["status"] == "complete"
    assert Instance.objects.count() == 2


def test_a_failure_is_explained_and_keeps_what_was_typed(make_link, browser, chat, server):
    link = make_link()
    send(browser, f"{link}steps/1/", **GOOD)

    page = walk(browser, send(browser, f"{link}steps/2/", client_id="typed-id", client_secret=BAD_SECRET))

    assert "Authorization failed" in page.text
    assert "typed-id" in page.text
    assert "Kept; type to replace." in page.text
    assert BAD_SECRET not in page.text
    assert not Instance.objects.exists()
    done = walk(browser, send(browser, f"{link}steps/2/", client_id="typed-id", client_secret=GOOD_SECRET))
    assert outcome(done)[1]["status"] == "complete"


def test_something_missing_is_said_at_the_field(make_link, browser, server):
    link = make_link()

    page = walk(browser, send(browser, f"{link}steps/1/", client_id="the-client", client_secret=""))

    assert "This value is required." in page.text
    assert server.requests == 0


def test_a_refused_secret_of_the_backends_can_be_tried_again_or_left(make_link, browser, chat, server):
    link = make_link(given={"talk": BAD})

    page = walk(browser, send(browser, f"{link}steps/1/", **GOOD))

    assert "What it takes was set by CRM sync" in page.text
    assert "credentials_refused" not in page.text
    again = walk(browser, browser.post(f"{link}end/"))
    assert "Authorization failed" in again.text
    assert outcome(browser.post(f"{link}cancel/"))[1]["error"] == "credentials_refused"


def test_cancelling_goes_back_and_deletes_what_was_typed(make_link, browser, chat, server):
    link = make_link(given={"talk": {"client_id": "backend"}})
    send(browser, f"{link}steps/1/", **GOOD)

    _, said = outcome(browser.post(f"{link}cancel/"))

    assert (said["status"], said["error"]) == ("failed", "cancelled")
    assert [part.values for part in SessionPart.objects.all()] == [{}, {"client_id": "backend"}]
    assert "Connect Zoom" in walk(browser, browser.get(link)).text


def test_one_of_several_methods_is_chosen_first(make_link, browser, chat, server):
    other = make_method(chat.connector, key="other", name="The other way", token_request={"url": server.url})
    link = make_link(components=["talk"])

    page = walk(browser, browser.get(link))
    assert "The other way" in page.text
    browser.post(f"{link}steps/1/method/", {"method": "other"})
    walk(browser, send(browser, f"{link}steps/1/", **GOOD))

    assert Instance.objects.get().auth_method == other


def test_reconnecting_shows_the_values_and_keeps_the_instance(make_link, browser, crm, zoom, server):
    instance = make_instance(Tenant.objects.create(key="acme"), zoom, name="Europe")
    link = make_link(instances=[instance.pk])

    page = walk(browser, browser.get(link))
    assert "Reconnect Zoom" in page.text
    assert 'value="the-client"' in page.text
    done = walk(browser, send(browser, f"{link}steps/1/", client_id="new-id", client_secret=GOOD_SECRET))

    assert outcome(done)[1]["status"] == "complete"
    again = Instance.objects.get()
    assert (again.pk, again.name) == (instance.pk, "Europe")
    assert again.filled_in.values == {"client_id": "new-id", "client_secret": GOOD_SECRET}


def test_the_waiting_page_works_with_scripts_too(make_link, browser, server):
    link = make_link()
    send(browser, f"{link}steps/1/", **GOOD)

    page = browser.get(f"{link}connecting/")
    waiting = browser.get(f"{link}progress/").json()
    browser.get(f"{link}run/")
    over = browser.get(f"{link}progress/").json()

    assert "Connecting…" in page.text
    assert waiting == {"next": None, "waits_for_run": True}
    assert over["next"].startswith("https://app.example.com/done?")


def test_a_reload_while_the_provider_is_asked_starts_no_second_exchange(make_link, browser, server):
    link = make_link()
    send(browser, f"{link}steps/1/", **GOOD)
    walk(browser, browser.get(f"{link}run/"))

    browser.get(f"{link}run/")

    assert server.requests == 1
