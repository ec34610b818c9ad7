"""Saving a definition in the admin says what it does to instances, and asks before it breaks any."""

from io import BytesIO

import pytest
from django.contrib.auth.models import Permission, User

from connectors.admin.impact import CONFIRM
from tenants.models import Instance, InstanceValues, Tenant, Token
from tests.admin_forms import form_in

REASON = "The definition no longer takes the value that this instance has for Client ID."
NO_DIGITS = {"variables-2-pattern": "[a-z]+"}
SECRET = "operator-secret-typed"


@pytest.fixture
def instance(plain):
    tenant = Tenant.objects.create(key="acme", name="Acme & Sons")
    instance = Instance.objects.create(tenant=tenant, auth_method=plain, status="active")
    InstanceValues.objects.create(instance=instance, values={"client_id": "id7", "client_secret": "s3cret-of-acme"})
    Token.objects.create(instance=instance)
    return instance


def confirmed(page, method, changes):
    """The answer to a save that would break instances, and what its form sends with the box ticked."""
    refused = page.save(method, changes)
    return refused, {**form_in(refused, "authmethod_form"), CONFIRM: refused.context["would_break"].fingerprint}


def test_what_would_break_an_instance_is_not_saved_and_the_page_names_it_and_why(page, plain, instance):
    response = page.save(plain, NO_DIGITS)

    html = response.content.decode()
    assert "The change would break 1 instance." in html
    assert "Acme &amp; Sons" in html
    assert REASON in html
    assert "s3cret-of-acme" not in html
    assert not plain.variables.get(key="client_id").pattern
    instance.refresh_from_db()
    assert instance.status == "active"


def test_what_was_typed_is_still_there_and_ticking_the_box_saves_it_and_marks_the_instance(page, plain, instance):
    _, fields = confirmed(page, plain, {**NO_DIGITS, "name": "Renamed"})

    saved = page.client.post(page.address(plain), {**fields, "_continue": "1"}, follow=True)

    assert fields["name"] == "Renamed"
    plain.refresh_from_db()
    instance.refresh_from_db()
    assert (plain.name, plain.variables.get(key="client_id").pattern) == ("Renamed", "[a-z]+")
    assert instance.status == "action_required"
    assert instance.status_reason.startswith(REASON)
    assert instance.events.get().actor == User.objects.get(username="admin")
    assert "Action required" in saved.content.decode()


@pytest.mark.parametrize("forged", ["", "on", "True", "0" * 32])
def test_a_forged_confirmation_counts_for_nothing(page, plain, instance, forged):
    page.save(plain, {**NO_DIGITS, CONFIRM: forged})

    assert not plain.variables.get(key="client_id").pattern


def test_a_typed_operators_value_is_not_shown_by_the_page_that_asks(page, plain, instance):
    response = page.save(plain, {**NO_DIGITS, "variables-0-display": "hidden", "variables-0-operator_value": SECRET})

    assert response.context["would_break"]
    assert SECRET not in response.content.decode()


def test_changed_requests_are_told_and_saved_at_once(page, plain, instance):
    response = page.save(plain, {"token_url": "https://new.example.com/token"})

    followed = page.client.get(response.url).content.decode()
    assert "https://new.example.com/token" in followed
    assert "from the next renewal on" in followed
    plain.refresh_from_db()
    assert plain.token_request["url"] == "https://new.example.com/token"


def test_what_nobody_uses_is_saved_without_a_word(page, plain):
    response = page.save(plain, NO_DIGITS)

    assert response.status_code == 302
    assert plain.variables.get(key="client_id").pattern == "[a-z]+"


def test_a_connectors_own_variables_are_looked_at_too_with_a_chosen_file_read_once_more(page, plain, instance):
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
    logo = BytesIO(png)
    logo.name = "logo.png"
    region = {"variables-0-default": "", "variables-0-choices": "api\neu", "logo_file": logo}

    response = page.save(plain.connector, region)

    assert "asks for Region" in response.content.decode()
    assert "This is no PNG" not in response.content.decode()
    plain.connector.refresh_from_db()
    assert not bytes(plain.connector.logo)


def test_who_may_only_look_can_confirm_nothing(client, page, plain, instance):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_authmethod", "view_variable"]))
    _, fields = confirmed(page, plain, NO_DIGITS)
    client.force_login(user)

    answer = client.post(page.address(plain), fields)

    assert answer.status_code == 403
    assert not plain.variables.get(key="client_id").pattern
