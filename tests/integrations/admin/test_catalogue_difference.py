"""The difference view: each change can be taken or left, all of what is ticked or nothing."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from connectors import ready_made
from connectors.adopting import add, outdated_keys
from connectors.models import Connector
from tenants.models import Instance, InstanceValues, Tenant
from tests.admin_forms import form_in
from tests.connectors.catalogue_versions import as_if_older, change_here, document

PAGE = reverse("catalogue:difference", args=("zoom",))
SHIPPED = ready_made.entry("zoom")


@pytest.fixture
def outdated(db):
    """Came from an entry with other words and another category, and has had its name and category changed here."""
    add({"zoom": "zoom"})
    as_if_older("zoom", description="Old words.", category="old")
    change_here("zoom", name="Our Zoom", category="ours")


def lines(response):
    return {
        line["place"]: (group["side"], line["is_ticked"])
        for group in response.context["groups"]
        for line in group["lines"]
    }


def taking(client, *places, **more):
    page = client.get(PAGE)
    ids = {line["place"]: line["id"] for group in page.context["groups"] for line in group["lines"]}
    seen = form_in(page, "difference_form")["seen"]
    return client.post(PAGE, {"seen": seen, "take": [ids[place] for place in places], **more}, follow=True)


def test_each_change_stands_under_who_made_it_and_only_the_catalogues_are_ticked(admin_client, outdated):
    response = admin_client.get(PAGE)

    assert lines(response) == {
        "description": ("catalogue", True),
        "category": ("both", False),
        "name": ("here", False),
    }
    html = response.content.decode()
    assert "Conflict" in html
    for value in ("Old words.", SHIPPED.description, "Our Zoom", "ours", "old"):
        assert f"<pre>{value}</pre>" in html


def test_what_is_ticked_is_taken_and_the_rest_left_and_not_brought_up_again(admin_client, outdated):
    response = taking(admin_client, "category")

    assert "zoom: changed (category)" in response.content.decode()
    row = Connector.objects.get()
    assert (row.category, row.name, row.description) == (SHIPPED.category, "Our Zoom", "Old words.")
    assert list(outdated_keys()) == []
    assert lines(response) == {"name": ("here", False), "description": ("here", False)}
    assert "Taken from the catalogue" in LogEntry.objects.get().get_change_message()


def test_nothing_ticked_takes_nothing_and_counts_as_looked_through(admin_client, outdated):
    before = document("zoom")

    response = taking(admin_client)

    assert document("zoom") == before
    assert "Nothing was taken" in response.content.decode()
    assert list(outdated_keys()) == []


def test_a_page_that_has_become_stale_takes_nothing(admin_client, outdated):
    page = admin_client.get(PAGE)
    fields = form_in(page, "difference_form")
    change_here("zoom", name="Changed meanwhile")
    before = document("zoom")

    response = admin_client.post(PAGE, {**fields, "take": ['["description"]']})

    assert "Nothing was taken" in response.content.decode()
    assert document("zoom") == before
    assert list(outdated_keys()) == ["zoom"]


@pytest.fixture
def breaking(db):
    """An instance of a version that didn't ask for the account."""
    add({"zoom": "zoom"})
    (method,) = document("zoom")["auth_methods"]
    request = {**method["token_request"], "body": {"grant_type": "{{grant_type}}"}}
    as_if_older("zoom", auth_methods=[{**method, "variables": method["variables"][:3], "token_request": request}])
    tenant = Tenant.objects.create(key="acme", name="Acme")
    row = Connector.objects.get().auth_methods.get()
    instance = Instance.objects.create(tenant=tenant, auth_method=row, status="active")
    InstanceValues.objects.create(instance=instance, values={"client_id": "id", "client_secret": "s3cret"})
    return instance


def test_changes_that_break_instances_ask_first_with_the_ticks_kept_and_then_mark_them(admin_client, breaking):
    places = list(lines(admin_client.get(PAGE)))

    asked = taking(admin_client, *places)
    untouched = list(outdated_keys())
    confirmed = asked.context["would_break"].fingerprint
    taking(admin_client, *places, break_instances=confirmed)

    assert "The definition now asks for Account ID" in asked.content.decode()
    assert all(is_ticked for _, is_ticked in lines(asked).values())
    assert untouched == ["zoom"]
    breaking.refresh_from_db()
    assert breaking.status == "action_required"
    assert breaking.filled_in.values == {"client_id": "id", "client_secret": "s3cret"}


def test_changes_that_make_no_definition_together_are_refused_whole(admin_client, breaking):
    body = next(place for place in lines(admin_client.get(PAGE)) if "body" in place)

    response = taking(admin_client, body)

    assert "account_id" in response.context["problem"]
    assert list(outdated_keys()) == ["zoom"]
    assert breaking.auth_method.token_request["body"] == {"grant_type": "{{grant_type}}"}


def test_who_may_only_look_takes_nothing(client, outdated):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_connector"))
    client.force_login(user)
    page = client.get(PAGE)

    refused = client.post(PAGE, {"seen": page.context["found"].fingerprint, "take": ['["description"]']})

    assert 'name="take"' not in page.content.decode()
    assert refused.status_code == 403
    assert Connector.objects.get().description == "Old words."


def test_a_connector_without_an_entry_has_no_such_page(admin_client):
    Connector.objects.create(key="in-house", name="In-house")

    assert admin_client.get(reverse("catalogue:difference", args=("in-house",))).status_code == 404
    assert admin_client.get(reverse("catalogue:difference", args=("nobody",))).status_code == 404
