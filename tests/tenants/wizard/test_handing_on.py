"""A draft that its user hands on to a colleague of the same tenant."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from connectors.models import AuthMethod
from tenants import drafts
from tenants.models import Draft, Event, Instance, Membership, Tenant
from tests.tenants.wizard.conftest import SignIn
from tests.tenants.wizard.rows import SECRET, make_instance
from tests.tenants.wizard.token_server import GOOD_SECRET

pytestmark = pytest.mark.both_databases


@pytest.fixture
def colleague(acme: Tenant) -> User:
    user = User.objects.create_user("clara")
    Membership.objects.create(tenant=acme, user=user)
    return user


@pytest.fixture
def handed(draft: Draft) -> Draft:
    assert drafts.hand_on(draft, {})
    return draft


def page(name: str, *arguments: object) -> str:
    return reverse(f"wizard:{name}", args=("acme", *arguments))


def link(draft: Draft) -> str:
    return page("take-over", draft.hand_on_key)


def test_what_was_typed_is_kept_and_nobody_is_asked(browser_of_owner: Client, method: AuthMethod) -> None:
    typed = {"v-client_id": "typed", "v-client_secret": SECRET, "hand_on": "yes"}

    response = browser_of_owner.post(page("connect", "zoom", "credentials"), typed, follow=True)

    draft = Draft.objects.get()
    assert draft.values["client_id"] == "typed"
    assert draft.state == Draft.State.OPEN
    assert link(draft) in response.content.decode()
    assert SECRET not in response.content.decode()
    assert not Instance.objects.exists()


def test_what_lacks_something_can_be_handed_on_all_the_same(draft: Draft) -> None:
    assert drafts.hand_on(draft, {"client_id": None, "client_secret": None}, name="x" * 300)

    draft.refresh_from_db()
    assert draft.values == {}
    assert draft.problem is None
    assert draft.hand_on_key
    assert len(draft.name) == drafts.NAME_LENGTH


def test_a_colleague_takes_it_over_and_sees_no_secret(handed: Draft, colleague: User, signed_in: SignIn) -> None:
    browser = signed_in(colleague)

    asked = browser.get(link(handed)).content.decode()
    form = browser.post(link(handed), follow=True).content.decode()

    handed.refresh_from_db()
    assert "olivia asks you to connect Zoom" in asked
    assert (handed.user, str(handed.handed_on_by), handed.hand_on_key) == (colleague, "olivia", None)
    assert "the-client" in form
    assert "olivia began this" in form
    assert SECRET not in asked + form
    assert handed.values["client_secret"] == SECRET


def test_the_colleague_finishes_what_the_owner_began(
    acme: Tenant, owner: User, colleague: User, live_method: AuthMethod, signed_in: SignIn
) -> None:
    draft = drafts.begin(acme, owner, live_method, pk=uuid4())
    drafts.hand_on(draft, {"client_secret": GOOD_SECRET})
    browser = signed_in(colleague)
    browser.post(link(draft))

    browser.post(page("draft", draft.pk), {"v-client_id": "the-client"})
    browser.get(page("run", draft.pk))

    draft.refresh_from_db()
    seen = signed_in(owner).get(page("handed", draft.pk)).content.decode()
    assert draft.state == Draft.State.CONNECTED, draft.problem
    assert Event.objects.get().actor == colleague
    assert "Zoom is connected" in seen
    assert page("instance", draft.instance_id) in seen


def test_who_handed_it_on_has_it_no_more(handed: Draft, colleague: User, browser_of_owner: Client) -> None:
    drafts.take_over(handed, colleague)

    seen = browser_of_owner.get(page("draft", handed.pk), follow=True).content.decode()
    answers = [browser_of_owner.post(page(name, handed.pk)).status_code for name in ("draft", "cancel", "take-back")]

    assert "clara has taken it over" in seen
    assert "the-client" not in seen
    assert answers == [404, 404, 404]
    assert Draft.objects.get().user == colleague


def test_until_then_its_user_may_take_it_back(
    handed: Draft, colleague: User, browser_of_owner: Client, signed_in: SignIn
) -> None:
    waiting = browser_of_owner.get(page("draft", handed.pk), follow=True).content.decode()

    form = browser_of_owner.post(page("take-back", handed.pk), follow=True).content.decode()

    assert "Nobody has taken it over yet" in waiting
    assert "the-client" in form
    assert signed_in(colleague).post(link(handed)).status_code == 404
    assert Draft.objects.get().handed_on_by is None


def test_who_goes_on_with_it_takes_it_back(handed: Draft, browser_of_owner: Client, colleague: User) -> None:
    browser_of_owner.post(page("draft", handed.pk), {"v-client_id": "mine"})

    assert not drafts.take_over(handed, colleague)
    assert Draft.objects.get().values["client_id"] == "mine"


def test_of_two_colleagues_one_gets_it(handed: Draft, acme: Tenant, stranger: User, colleague: User) -> None:
    Membership.objects.create(tenant=acme, user=stranger)
    other = Draft.objects.get(pk=handed.pk)

    assert drafts.take_over(handed, colleague)
    assert not drafts.take_over(other, stranger)
    assert Draft.objects.get().user == colleague


def test_what_a_former_user_still_has_open_changes_nothing(handed: Draft, colleague: User) -> None:
    """A request that began before the colleague took it over, and ends after."""
    stale = Draft.objects.get(pk=handed.pk)
    drafts.take_over(handed, colleague)

    drafts.submit(stale, {"client_id": "late"})
    Draft.objects.filter(pk=handed.pk).update(updated_at=handed.updated_at + timedelta(seconds=1))

    assert not drafts.cancel(Draft(pk=handed.pk, user=handed.user))
    found = Draft.objects.get()
    assert (found.user, found.values["client_id"], found.state) == (colleague, "the-client", Draft.State.OPEN)


@pytest.mark.parametrize("state", [Draft.State.CONNECTING, Draft.State.CONNECTED])
def test_what_is_being_tried_is_not_handed_on(draft: Draft, state: str) -> None:
    Draft.objects.update(state=state, started_at=draft.updated_at)

    assert not drafts.hand_on(draft, {})
    assert Draft.objects.get().hand_on_key is None


def test_a_link_leads_its_own_user_to_how_it_goes(handed: Draft, browser_of_owner: Client) -> None:
    response = browser_of_owner.post(link(handed))

    assert response["Location"] == page("handed", handed.pk)
    assert Draft.objects.get().hand_on_key == handed.hand_on_key


@pytest.mark.parametrize("verb", ["get", "post"])
def test_others_find_nothing_behind_the_link(
    handed: Draft, other: User, stranger: User, signed_in: SignIn, verb: str
) -> None:
    for user in (other, stranger):
        assert getattr(signed_in(user), verb)(link(handed)).status_code == 404
    foreign = link(handed).replace("/acme/", "/globex/")
    assert getattr(signed_in(other), verb)(foreign).status_code == 404
    asked = getattr(Client(), verb)(link(handed))

    assert asked["Location"].startswith(reverse("wizard:sign-in"))
    assert Draft.objects.get().user == handed.user


def test_a_colleague_without_the_link_finds_nothing(handed: Draft, colleague: User, signed_in: SignIn) -> None:
    browser = signed_in(colleague)

    assert browser.get(page("draft", handed.pk)).status_code == 404
    assert browser.get(page("handed", handed.pk)).status_code == 404
    assert browser.post(page("take-back", handed.pk)).status_code == 404
    assert browser.post(page("take-over", uuid4())).status_code == 404


def test_what_was_handed_on_once_is_not_handed_on_further(handed: Draft, colleague: User, signed_in: SignIn) -> None:
    drafts.take_over(handed, colleague)

    form = signed_in(colleague).get(page("draft", handed.pk)).content.decode()
    signed_in(colleague).post(page("draft", handed.pk), {"hand_on": "yes"})

    assert "Hand it on" not in form
    assert Draft.objects.get().hand_on_key is None


def test_reconnecting_is_handed_on_too(
    acme: Tenant, owner: User, method: AuthMethod, colleague: User, browser_of_owner: Client, signed_in: SignIn
) -> None:
    instance = make_instance(acme, method)

    said = browser_of_owner.post(page("reconnect", instance.pk), {"hand_on": "yes"}, follow=True).content.decode()

    (address,) = re.findall(r'value="[^"]*(/t/acme/take-over/[^"]+)"', said)
    assert "asks you to reconnect Zoom" in signed_in(colleague).get(address).content.decode()
