"""The list of instances, the page of one, and what can be done there."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from connectors.models import AuthMethod, Connector
from tenants.models import Event, Instance, Tenant
from tests.tenants.wizard.rows import NOW, SECRET, TOKEN, make_instance, make_method


def _address(page: str, instance: Instance) -> str:
    return reverse(f"wizard:{page}", args=["acme", instance.pk])


def test_what_needs_attention_stands_first(acme: Tenant, browser_of_owner: Client, db: None) -> None:
    for key, status in (("a", "active"), ("b", "failing"), ("c", "action_required"), ("d", "paused")):
        make_instance(acme, make_method(Connector.objects.create(key=key, name=f"Service {key}")), status=status)

    page = browser_of_owner.get(reverse("wizard:instances", args=["acme"])).content.decode()

    places = [page.index(f"Service {key}") for key in "cbad"]
    assert places == sorted(places)
    assert "2 of 4 need attention." in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pending", "Pending"),
        ("active", "Active"),
        ("failing", "Failing"),
        ("action_required", "Action required"),
        ("paused", "Paused"),
    ],
)
def test_a_status_is_said_in_words(status: str, words: str, instance: Instance, browser_of_owner: Client) -> None:
    Instance.objects.update(status=status)

    listed = browser_of_owner.get(reverse("wizard:instances", args=["acme"])).content.decode()
    opened = browser_of_owner.get(_address("instance", instance)).content.decode()

    assert f"{words}</span>" in listed
    assert f"{words}</span>" in opened


def test_an_empty_list_leads_to_adding_one(browser_of_owner: Client) -> None:
    page = browser_of_owner.get(reverse("wizard:instances", args=["acme"])).content.decode()

    assert "Nothing is connected yet" in page
    assert reverse("wizard:choose-connector", args=["acme"]) in page


def test_the_list_costs_no_query_per_instance(
    acme: Tenant, method: AuthMethod, browser_of_owner: Client, django_assert_max_num_queries
) -> None:
    for number in range(20):
        make_instance(acme, method, name=f"Number {number}")

    with django_assert_max_num_queries(9):
        browser_of_owner.get(reverse("wizard:instances", args=["acme"]))


def test_the_page_shows_no_secret_and_no_token(instance: Instance, browser_of_owner: Client) -> None:
    page = browser_of_owner.get(_address("instance", instance)).content.decode()

    assert SECRET not in page
    assert TOKEN not in page
    assert "Set on 1 Mar 2026, 12:00" in page
    assert "the-client" in page
    assert "1 Mar 2026, 13:00" in page


def test_the_history_is_paged_newest_first(instance: Instance, browser_of_owner: Client) -> None:
    for number in range(20):
        Event.objects.create(
            instance=instance,
            at=NOW + timedelta(minutes=number),
            kind=Event.Kind.RENEWED,
            status_before="active",
            status_after="active",
            message=f"Renewal number {number}.",
        )

    first = browser_of_owner.get(_address("instance", instance)).content.decode()
    second = browser_of_owner.get(_address("instance", instance) + "?page=2").content.decode()

    assert first.index("Renewal number 19.") < first.index("Renewal number 18.")
    assert "Renewal number 1." not in first
    assert "Renewal number 1." in second


def test_pauses_and_resumes(instance: Instance, browser_of_owner: Client) -> None:
    paused = browser_of_owner.post(_address("pause", instance), follow=True)
    assert Instance.objects.get().status == Instance.Status.PAUSED
    assert "is paused" in paused.content.decode()

    resumed = browser_of_owner.post(_address("resume", instance), follow=True)
    assert Instance.objects.get().status != Instance.Status.PAUSED
    assert "is renewed again" in resumed.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_check_that_fails_says_why(instance: Instance, browser_of_owner: Client) -> None:
    # The method's host doesn't exist.
    response = browser_of_owner.post(_address("check", instance), follow=True)

    assert 'class="message error"' in response.content.decode()


def test_renames(instance: Instance, browser_of_owner: Client) -> None:
    response = browser_of_owner.post(_address("rename", instance), {"name": " Europe "}, follow=True)

    assert Instance.objects.get().name == "Europe"
    assert "Renamed to Europe." in response.content.decode()


def test_a_name_that_is_taken_is_refused(
    acme: Tenant, method: AuthMethod, instance: Instance, browser_of_owner: Client
) -> None:
    make_instance(acme, method, name="Europe")

    response = browser_of_owner.post(_address("rename", instance), {"name": "Europe"})

    assert "has this name" in response.content.decode()
    instance.refresh_from_db()
    assert instance.name == ""


def test_removing_asks_first(instance: Instance, browser_of_owner: Client) -> None:
    asked = browser_of_owner.get(_address("remove", instance))
    assert "No integration reads it." in asked.content.decode()
    assert Instance.objects.exists()

    removed = browser_of_owner.post(_address("remove", instance), follow=True)
    assert not Instance.objects.exists()
    assert "was removed" in removed.content.decode()
