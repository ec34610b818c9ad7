"""“Try it” on a method's page: what is shown, what is sent, what is kept from whom."""

import html
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from connectors.admin.trying import BUTTON, CONFIRMED, SEALED
from connectors.models import AuthMethod
from tests.admin_forms import form_in
from tests.connectors.admin.providers import SECRET, TOKEN, running


@pytest.fixture
def provider(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as server:
        yield server


@pytest.fixture
def method(plain, provider):
    plain.token_request = {"url": f"{provider.url}/token"}
    plain.test_request = {"url": f"{provider.url}/me"}
    plain.save()
    return plain


@pytest.fixture
def tried(page):
    """Presses a button of the panel; further fields as on the page, or as in `changes`."""

    def press(method, button="try", changes=None, before=None):
        fields = form_in(before, "authmethod_form") if before is not None else page.fields(method)
        typed = {} if before is not None else {"try-client_id": "the-id", "try-client_secret": SECRET}
        fields = {**fields, **typed, **(changes or {}), BUTTON: button}
        response = page.client.post(page.address(method), {key: one for key, one in fields.items() if one is not None})
        assert response.status_code == 200
        return response

    return press


def words(response):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", response.content.decode())).split())


def test_shows_everything_and_stores_nothing(method, provider, tried):
    provider.wants = "post"
    before = AuthMethod.objects.values().get(pk=method.pk)

    response = tried(method)

    shown = words(response)
    assert "A token was issued, and the API accepts it." in shown
    assert "client_id=the-id {{client_id}}" in shown
    assert "client_secret=••• {{client_secret}}" in shown
    assert "the token, 14 characters" in shown
    assert "found at “expires_in”" in shown
    assert "Authorization: Bearer ••• {{access_token}}" in shown
    assert AuthMethod.objects.values().get(pk=method.pk) == before


@pytest.mark.parametrize("wants", ["post", "basic"])
@pytest.mark.parametrize("button", ["try", "alternatives"])
def test_shows_neither_secret_nor_token(method, provider, tried, wants, button):
    provider.wants = wants

    shown = tried(method, button).content.decode()

    for spelling in (SECRET, "s3cr3t%3Av%40lue%2F%2B+%25", "s3cr3t%3Av%40lue%2F%2B%20%25", TOKEN, "s3cr3t"):
        assert spelling not in shown


def test_tries_what_the_page_says_and_not_what_is_stored(method, provider, tried):
    provider.wants = "basic"

    response = tried(method, changes={"client_authentication": "client_secret_basic", "headers-0-value": "x/y"})

    assert "the API accepts it" in words(response)
    assert provider.asked[0][0]["Content-Type"] == "x/y"
    method.refresh_from_db()
    assert method.token_request == {"url": f"{provider.url}/token"}


def test_a_secret_is_typed_once_and_used_again(method, provider, tried):
    provider.wants = "post"
    first = tried(method)

    again = tried(method, before=first)

    assert form_in(first, "authmethod_form")["try-client_secret"] == ""
    assert SECRET not in form_in(first, "authmethod_form")[SEALED]
    assert "the API accepts it" in words(again)


def test_what_was_typed_survives_a_definition_that_is_none(method, provider, tried):
    provider.wants = "post"
    broken = tried(method, changes={"test_url": "https://example.com/{{nothing}}"})
    fields = form_in(broken, "authmethod_form")
    assert provider.asked == []
    assert "{{nothing}} names nothing here" in words(broken)
    assert SECRET not in broken.content.decode()

    mended = tried(method, changes={"test_url": f"{provider.url}/me"}, before=broken)

    assert "try-client_id" not in fields
    assert "the API accepts it" in words(mended)


def test_problems_of_a_field_are_shown_beside_it_and_nothing_is_sent(method, provider, tried):
    response = tried(method, changes={"assertion": "{"})

    assert "This is no JSON" in words(response)
    assert "Nothing is sent while the definition has problems." in words(response)
    assert provider.asked == []


def test_what_another_person_sealed_is_worth_nothing(method, provider, tried, client):
    sealed = form_in(tried(method), "authmethod_form")[SEALED]
    provider.asked.clear()
    other = User.objects.create_superuser("other", password="x")
    client.force_login(other)
    address = f"/admin/connectors/authmethod/{method.pk}/change/"
    fields = form_in(client.get(address), "authmethod_form")

    response = client.post(address, {**fields, "try-client_id": "the-id", SEALED: sealed, BUTTON: "try"})

    assert "A value is missing: Client secret" in words(response)
    assert provider.asked == []


def test_the_way_that_works_is_filled_in_and_saved_by_the_person(method, provider, tried, page):
    found = tried(method, "alternatives")

    fields = form_in(found, "authmethod_form")
    assert "It is filled in on this page. Save the method to keep it." in words(found)
    assert fields["client_authentication"] == "client_secret_basic"
    method.refresh_from_db()
    assert "client_authentication" not in method.token_request
    page.client.post(page.address(method), {**fields, "_continue": "1"})
    method.refresh_from_db()
    assert method.token_request["client_authentication"] == "client_secret_basic"


def test_another_body_takes_its_content_type_along(method, provider, tried, page):
    provider.wants = "json"

    found = tried(method, "alternatives")

    fields = form_in(found, "authmethod_form")
    assert (fields["body_format"], fields["headers-0-value"]) == ("json", "application/json")
    assert provider.asked[-1][0]["Content-Type"] == "application/json"
    page.client.post(page.address(method), {**fields, "_continue": "1"})
    method.refresh_from_db()
    assert method.token_request == {"url": f"{provider.url}/token", "body_format": "json"}


def test_says_so_where_no_other_way_works(method, provider, tried):
    provider.wants = "nothing"

    response = tried(method, "alternatives")

    assert "None of the other ways works either." in words(response)
    assert len(provider.asked) == 6  # as it is, and five others


def test_a_kind_of_token_that_kills_the_old_one_asks_first(method, provider, tried):
    provider.wants = "post"
    kills = {"invalidates_previous": "on"}

    warned = tried(method, changes=kills)
    confirmed = tried(method, changes={**kills, CONFIRMED: "on"})

    assert "Nothing was sent yet." in words(warned)
    assert "the API accepts it" in words(confirmed)
    assert len(provider.asked) == 1


def test_tries_count_against_the_budget(method, provider, tried):
    provider.wants = "post"
    budget = {"max_requests": "1/day"}
    first = tried(method, changes=budget)

    second = tried(method, changes=budget)

    assert "This provider takes 1/day token requests" in words(first)
    assert "they are spent" in words(second)
    assert len(provider.asked) == 1


def test_the_whole_command_is_shown_on_request_alone_and_sends_nothing(method, provider, tried):
    response = tried(method, "curl")

    assert "client_secret=s3cr3t%3Av%40lue%2F%2B+%25" in words(response)
    assert "This command holds your secrets." in words(response)
    assert provider.asked == []


def test_an_operator_s_value_goes_before_the_default_unless_another_is_typed(method, page):
    row = method.variables.get(key="scope")
    row.display, row.default, row.operator_value = "read_only", "the-default", "the-operators"
    row.save()
    method.connector.auth_methods.all().touch()

    fields = page.fields(method)

    assert fields["try-scope"] == ""


@pytest.mark.parametrize("button", ["try", "curl"])
def test_the_operator_s_secret_is_used_and_never_shown(method, provider, tried, button):
    provider.wants = "post"
    row = method.variables.get(key="client_secret")
    row.display, row.operator_value = "hidden", SECRET
    row.save()

    response = tried(method, button, changes={"try-client_secret": ""})

    assert "s3cr3t" not in response.content.decode()
    if button == "try":
        assert "the API accepts it" in words(response)
    else:
        assert "The operator's stored secret is not shown" in words(response)


def test_the_page_as_it_opens_asks_nobody(method, provider, page):
    response = page.client.get(page.address(method))

    assert "try-client_secret" in form_in(response, "authmethod_form")
    assert provider.asked == []


@pytest.mark.parametrize("permission", [None, "view_authmethod"])
def test_keeps_others_out(method, provider, permission):
    user = User.objects.create_user("editor", password="x", is_staff=True)
    if permission:
        user.user_permissions.add(Permission.objects.get(codename=permission))
    client = Client()
    client.force_login(user)
    address = f"/admin/connectors/authmethod/{method.pk}/change/"

    response = client.post(address, {BUTTON: "try", "try-client_id": "a", "try-client_secret": "b"})

    assert response.status_code == 403
    assert "Try it" not in client.get(address).content.decode()
    assert provider.asked == []


def test_nothing_is_saved_for_those_who_may_not_see_variables(method, provider):
    """Their page has no rows of variables: what then keeps a try from being saved is the form alone."""
    provider.wants = "post"
    user = User.objects.create_user("editor", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_authmethod"))
    client = Client()
    client.force_login(user)
    address = f"/admin/connectors/authmethod/{method.pk}/change/"
    fields = form_in(client.get(address), "authmethod_form")

    typed = {"try-client_id": "the-id", "try-client_secret": SECRET, "name": "Other", BUTTON: "try"}
    response = client.post(address, {**fields, **typed})

    assert "the API accepts it" in words(response)
    method.refresh_from_db()
    assert method.name == "Only"


def test_a_method_is_tried_before_it_is_added(zoom, provider, admin_client):
    provider.wants = "post"
    address = "/admin/connectors/authmethod/add/"
    opened = admin_client.get(address)
    fields = {
        **form_in(opened, "authmethod_form"),
        "connector": zoom.pk,
        "name": "New",
        "key": "new",
        "type": "oauth2_client_credentials",
        "token_url": f"{provider.url}/token",
        BUTTON: "try",
    }

    asked = admin_client.post(address, fields)
    typed = {**form_in(asked, "authmethod_form"), "try-client_id": "the-id", "try-client_secret": SECRET}
    worked = admin_client.post(address, {**fields, **typed})

    assert "Values are missing: Client ID, Client secret" in words(asked)
    assert "A token was issued." in words(worked)
    assert not AuthMethod.objects.filter(key="new").exists()


def test_nobody_tries_a_new_method_who_may_not_add_one(zoom, provider):
    user = User.objects.create_user("editor", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_authmethod"))
    client = Client()
    client.force_login(user)

    response = client.post("/admin/connectors/authmethod/add/", {BUTTON: "try", "token_url": f"{provider.url}/token"})

    assert response.status_code == 403
    assert provider.asked == []
