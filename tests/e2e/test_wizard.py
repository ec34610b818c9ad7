"""A tenant's user does the whole job in a real browser."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from connectors.models import AuthMethod, Connector
from tenants.models import Draft, Event, Instance, Membership, Tenant
from tests.e2e.conftest import OpenPage
from tests.tenants.wizard.rows import PASSWORD, make_instance, make_method
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET, TokenServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def acme(zoom: AuthMethod) -> Tenant:
    tenant = Tenant.objects.create(key="acme", name="Acme Ltd")
    Membership.objects.create(tenant=tenant, user=User.objects.create_user("olivia", password=PASSWORD))
    make_method(Connector.objects.create(key="twitch", name="Twitch"))
    return tenant


def _fits(page: Page) -> None:
    """Nothing has to be scrolled sideways."""
    # A locator waits for the element; a page that is just being exchanged for the next has none.
    wide, room = page.locator("html").evaluate("html => [html.scrollWidth, window.innerWidth]")
    assert wide <= room, page.url


def _sign_in(page: Page) -> None:
    page.goto("/")
    _fits(page)
    page.get_by_label("User name").fill("olivia")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Connections")).to_be_visible()


def _fill(page: Page, secret: str) -> None:
    page.get_by_label("Client ID").fill("the-client")
    page.get_by_label("Client secret", exact=False).first.fill(secret)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_the_whole_job(scripts: bool, width: int, acme: Tenant, open_page: OpenPage) -> None:
    page = open_page(scripts=scripts, width=width)
    _sign_in(page)
    _fits(page)

    page.get_by_role("link", name="Add your first connection").click()
    page.get_by_label("Search services").fill("zoo")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Twitch")).to_have_count(0)
    _fits(page)
    page.get_by_role("link", name="Zoom").click()

    expect(page.get_by_role("heading", name="Instructions")).to_be_visible()
    _fits(page)
    _fill(page, BAD_SECRET)
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("heading", name="Authorization failed")).to_be_visible()
    expect(page.get_by_label("Client ID")).to_have_value("the-client")
    expect(page.get_by_text("Kept; type to replace.").first).to_be_visible()
    assert BAD_SECRET not in page.content()
    _fits(page)
    page.locator("#v-client_secret").fill(GOOD_SECRET)
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("heading", name="Authorization complete")).to_be_visible()
    _fits(page)
    page.get_by_role("link", name="See the connection").click()

    expect(page.get_by_text("Active", exact=True).first).to_be_visible()
    _fits(page)
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Checked: Zoom works.")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("is paused")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("is renewed again")).to_be_visible()
    page.get_by_role("link", name="Rename").click()
    _fits(page)
    page.get_by_label("Name").fill("Europe")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Zoom · Europe")).to_be_visible()

    page.get_by_role("link", name="Reconnect").click()
    _fits(page)
    page.get_by_label("Client ID").fill("another-client")
    page.get_by_role("button", name="Reconnect").click()
    expect(page.get_by_role("heading", name="Authorization complete")).to_be_visible()
    page.get_by_role("link", name="See the connection").click()
    expect(page.get_by_text("another-client")).to_be_visible()

    page.get_by_role("link", name="Remove").click()
    _fits(page)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("was removed")).to_be_visible()
    assert not Instance.objects.exists()


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until it is reached; on every way there it can be seen what is focused."""
    for _ in range(40):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """selector => {
                const focused = document.activeElement;
                const shown = focused.closest(".row, .choice") || focused;
                return [focused.matches(selector), getComputedStyle(shown).outlineStyle];
            }""",
            selector,
        )
        assert seen[1] != "none", page.evaluate("document.activeElement.outerHTML")
        if seen[0]:
            return
    pytest.fail(f"{selector} can't be reached by keyboard")


def test_the_job_by_keyboard_alone(acme: Tenant, open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    page.keyboard.type("olivia")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/t/acme/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    _tab_to(page, "main a.button.primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/connect/")
    _tab_to(page, "a[href$='/connect/zoom/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zoom/credentials/")
    _tab_to(page, "#v-client_id")
    page.keyboard.type("the-client")
    _tab_to(page, "#v-client_secret")
    page.keyboard.type(BAD_SECRET)
    page.keyboard.press("Enter")
    page.wait_for_url("**/drafts/*-*/")

    assert page.evaluate("document.activeElement.id") == "problem"
    _tab_to(page, "#v-client_secret")
    page.keyboard.type(GOOD_SECRET)
    _tab_to(page, "main form button.primary")
    page.keyboard.press("Enter")

    page.wait_for_url("**/connected/")
    assert acme.instances.count() == 1


def test_an_error_summary_leads_to_the_field(acme: Tenant, open_page: OpenPage) -> None:
    page = open_page(scripts=False)
    _sign_in(page)
    page.goto("/t/acme/connect/zoom/credentials/")
    page.get_by_text("Advanced").first.click()
    page.get_by_label("Grant type").fill("")
    _fill(page, GOOD_SECRET)
    page.get_by_role("button", name="Connect", exact=True).click()

    page.get_by_role("link", name="Grant type").click()

    expect(page.get_by_label("Grant type")).to_be_focused()
    assert page.get_by_label("Grant type").get_attribute("aria-describedby") == "v-grant_type-error"


def test_a_double_click_and_two_tabs_make_one_exchange(
    acme: Tenant, token_server: TokenServer, open_page: OpenPage
) -> None:
    page = open_page()
    _sign_in(page)
    page.goto("/t/acme/connect/zoom/credentials/")
    _fill(page, GOOD_SECRET)
    token_server.gate.clear()
    page.get_by_role("button", name="Connect", exact=True).dblclick(no_wait_after=True)
    page.wait_for_url("**/connecting/")
    second = page.context.new_page()
    second.goto(page.url)
    page.reload()
    token_server.gate.set()

    expect(page.get_by_role("heading", name="Authorization complete")).to_be_visible()
    expect(second.get_by_role("heading", name="Authorization complete")).to_be_visible()
    assert token_server.requests == 1
    assert Draft.objects.count() == 1


def test_a_secret_can_be_looked_at_while_it_is_typed(acme: Tenant, open_page: OpenPage) -> None:
    page = open_page()
    _sign_in(page)
    page.goto("/t/acme/connect/zoom/credentials/")
    secret = page.locator("#v-client_secret")
    secret.fill(GOOD_SECRET)

    page.get_by_role("button", name="Show Client secret").click()
    expect(secret).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide Client secret").click()

    expect(secret).to_have_attribute("type", "password")


def test_long_words_stay_within_a_narrow_window(acme: Tenant, zoom: AuthMethod, open_page: OpenPage) -> None:
    wide = "https://a-very-long-host-name.example.com/" + "segment" * 20
    instance = make_instance(acme, zoom, name="N" * 120, status="action_required", status_reason=f"Look at {wide}.")
    instance.filled_in.values["client_id"] = wide
    instance.filled_in.save()
    Event.objects.create(
        instance=instance,
        at=timezone.now(),
        kind="failing",
        status_before="active",
        status_after="failing",
        message=wide,
    )
    zoom.instructions = f"`{wide}`\n\n```\n{wide}\n```\n\n| {wide} | b |\n|---|---|\n| c | {wide} |\n"
    zoom.save()
    page = open_page(width=360)
    _sign_in(page)

    for address in ("", *(f"instances/{instance.pk}/{part}" for part in ("", "reconnect/", "remove/", "rename/"))):
        page.goto(f"/t/acme/{address}")
        _fits(page)
