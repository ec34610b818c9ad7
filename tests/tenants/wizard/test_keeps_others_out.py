"""Every page of the wizard, opened by everybody."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, reverse

from connectors.models import Connector
from tenants.models import Draft, Instance, Tenant
from tenants.wizard.urls import urlpatterns
from tests.tenants.wizard.conftest import SignIn

_UNKNOWN = "00000000-0000-4000-8000-000000000000"
_METHOD = {"connector_key": "zoom", "method_key": "credentials"}


@dataclass(frozen=True)
class Page:
    """How the owner opens a page: with which arguments, and what the page answers to GET and POST."""

    arguments: dict[str, str]
    get: int
    post: int
    is_open: bool = False


DRAFT, INSTANCE = {"pk": "draft"}, {"pk": "instance"}
PAGES = {
    "home": Page({}, 302, 302),
    "sign-in": Page({}, 302, 302, is_open=True),
    "sign-out": Page({}, 405, 302, is_open=True),
    "logo": Page({"key": "zoom"}, 404, 405, is_open=True),
    "instances": Page({}, 200, 405),
    "choose-connector": Page({}, 200, 405),
    "choose-method": Page({"connector_key": "zoom"}, 302, 405),
    "connect": Page(_METHOD, 200, 303),
    "draft": Page(DRAFT, 200, 303),
    "cancel": Page(DRAFT, 405, 302),
    "handed": Page(DRAFT, 303, 405),
    "take-back": Page(DRAFT, 405, 302),
    "take-over": Page({"key": "hand-on"}, 200, 302),
    "connecting": Page(DRAFT, 303, 405),
    "run": Page(DRAFT, 303, 405),
    "progress": Page(DRAFT, 200, 405),
    "connected": Page(DRAFT, 303, 405),
    "instance": Page(INSTANCE, 200, 405),
    "reconnect": Page(INSTANCE, 200, 303),
    "check": Page(INSTANCE, 405, 302),
    "pause": Page(INSTANCE, 405, 302),
    "resume": Page(INSTANCE, 405, 302),
    "rename": Page(INSTANCE, 200, 302),
    "next-secret": Page(INSTANCE, 200, 200),
    "drop-next-secret": Page(INSTANCE, 405, 302),
    "retire-secret": Page(INSTANCE, 302, 302),
    "secret-expiry": Page(INSTANCE, 200, 302),
    "remove": Page(INSTANCE, 200, 302),
}
OF_A_TENANT = [
    pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern) and "tenant_key" in str(pattern.pattern)
]
VERBS = ["get", "post"]


@pytest.fixture
def handed_on(acme: Tenant, draft: Draft) -> Draft:
    """What a colleague of the owner's has handed on."""
    colleague = User.objects.create_user("clara")
    acme.memberships.create(user=colleague)
    return Draft.objects.create(tenant=acme, user=colleague, auth_method=draft.auth_method, hand_on_key=uuid4())


@pytest.fixture
def address(acme: Tenant, instance: Instance, draft: Draft, handed_on: Draft) -> Callable[..., str]:
    """The address of a page that is there for the owner, or with other arguments."""
    rows = {"draft": str(draft.pk), "instance": str(instance.pk), "hand-on": str(handed_on.hand_on_key)}

    def of(name: str, **others: str) -> str:
        arguments = {key: rows.get(value, value) for key, value in PAGES[name].arguments.items()}
        arguments |= {"tenant_key": "acme"} if name in OF_A_TENANT else {}
        return reverse(f"wizard:{name}", kwargs={**arguments, **others})

    return of


def open_page(browser: Client, verb: str, address: str) -> HttpResponse:
    return getattr(browser, verb)(address)  # type: ignore[no-any-return]


def _without_tokens(response: Any) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def test_no_page_is_forgotten_here() -> None:
    names = {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}

    assert names == set(PAGES)
    assert len(names) == len(urlpatterns)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", PAGES)
def test_the_owner_comes_in(name: str, verb: str, address: Callable[..., str], browser_of_owner: Client) -> None:
    response = open_page(browser_of_owner, verb, address(name))

    assert response.status_code == getattr(PAGES[name], verb)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", [name for name in PAGES if not PAGES[name].is_open])
def test_who_is_not_signed_in_is_asked_to(name: str, verb: str, address: Callable[..., str]) -> None:
    response = open_page(Client(), verb, address(name))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("wizard:sign-in"))


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", OF_A_TENANT)
@pytest.mark.parametrize("who", ["other", "stranger"])
def test_a_tenants_page_does_not_exist_for_others(
    who: str,
    name: str,
    verb: str,
    address: Callable[..., str],
    signed_in: SignIn,
    request: pytest.FixtureRequest,
) -> None:
    browser = signed_in(request.getfixturevalue(who))

    response = open_page(browser, verb, address(name))
    nowhere = open_page(browser, verb, address(name, tenant_key="no-such-tenant"))

    assert response.status_code == 404
    assert _without_tokens(response) == _without_tokens(nowhere)
    assert response.headers.keys() == nowhere.headers.keys()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", [name for name in PAGES if PAGES[name].arguments in (DRAFT, INSTANCE)])
def test_anothers_thing_does_not_exist_under_ones_own_tenant(
    name: str, verb: str, address: Callable[..., str], other: User, signed_in: SignIn
) -> None:
    browser = signed_in(other)

    response = open_page(browser, verb, address(name, tenant_key="globex"))
    nothing = open_page(browser, verb, address(name, tenant_key="globex", pk=_UNKNOWN))

    assert response.status_code == nothing.status_code
    assert response.status_code in (404, 405)
    assert _without_tokens(response) == _without_tokens(nothing)


def test_nothing_changes_when_others_try(
    address: Callable[..., str], instance: Instance, draft: Draft, other: User, signed_in: SignIn
) -> None:
    before = Instance.objects.values().get(), list(Draft.objects.order_by("pk").values())
    browser = signed_in(other)

    for name in OF_A_TENANT:
        open_page(browser, "post", address(name))

    assert (Instance.objects.values().get(), list(Draft.objects.order_by("pk").values())) == before


def test_a_colleague_does_not_see_ones_draft(
    acme: Tenant, stranger: User, draft: Draft, signed_in: SignIn, address: Callable[..., str]
) -> None:
    acme.memberships.create(user=stranger)

    response = signed_in(stranger).get(address("draft"))

    assert response.status_code == 404


def test_a_draft_id_of_somebody_else_leads_to_ones_own_draft(
    globex: Tenant, other: User, draft: Draft, signed_in: SignIn
) -> None:
    address = reverse("wizard:connect", args=["globex", "zoom", "credentials"])

    signed_in(other).post(address, {"draft": str(draft.pk), "v-client_id": "theirs"})

    draft.refresh_from_db()
    assert draft.values["client_id"] == "the-client"
    assert globex.drafts.get().values == {"client_id": "theirs"}


def test_a_connector_without_a_method_can_not_be_chosen(connector: Connector, browser_of_owner: Client) -> None:
    listed = browser_of_owner.get(reverse("wizard:choose-connector", args=["acme"]))
    opened = browser_of_owner.get(reverse("wizard:choose-method", args=["acme", "zoom"]))

    assert "Zoom" not in listed.content.decode()
    assert opened.status_code == 404
