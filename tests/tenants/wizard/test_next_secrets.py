"""Changing a secret without an outage, on the instance's page."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from tenants import connecting
from tenants.models import Event, InstanceValues, NextValues
from tests.tenants.wizard.rows import SECRET, make_instance
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET

TO_COME = "2999-01-31"


@pytest.fixture
def live(acme, live_method):
    """An instance whose present secret the provider knows."""
    instance = make_instance(acme, live_method)
    instance.filled_in.values = {"client_id": "the-client", "client_secret": GOOD_SECRET}
    instance.filled_in.save()
    return instance


@pytest.fixture
def post(browser_of_owner):
    def posted(name, instance, **typed):
        return browser_of_owner.post(reverse(f"wizard:{name}", args=["acme", instance.pk]), typed, follow=True)

    return posted


@pytest.fixture
def page(browser_of_owner):
    def opened(instance):
        return browser_of_owner.get(reverse("wizard:instance", args=["acme", instance.pk])).content.decode()

    return opened


def add(post, instance, secret=BAD_SECRET, **more):
    return post("next-secret", instance, **{"v-client_id": "the-client", "v-client_secret": secret, **more})


def stored(instance):
    return InstanceValues.objects.get(pk=instance.pk)


def test_one_that_works_takes_over_at_once(live, post):
    live.filled_in.values["client_secret"] = SECRET
    live.filled_in.save()

    response = add(post, live, GOOD_SECRET, day=TO_COME)

    assert "It has taken the present one" in response.content.decode()
    assert stored(live).values["client_secret"] == GOOD_SECRET
    assert stored(live).secret_expires_at == datetime(2999, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert not NextValues.objects.exists()


def test_one_that_is_not_known_yet_waits_and_the_page_says_so(live, post, page):
    said = add(post, live, day=TO_COME).content.decode()

    assert "does not know it yet" in said
    shown = page(live)
    assert "Waits; refused so far" in shown
    assert "Unknown client" in shown
    assert "31 Jan 2999" in shown
    assert "Active" in shown
    assert stored(live).values["client_secret"] == GOOD_SECRET
    assert NextValues.objects.get().values == {"client_secret": BAD_SECRET}


def test_no_page_shows_either_secret(live, post, page, browser_of_owner):
    texts = [add(post, live).content.decode(), page(live)]
    for name in ("next-secret", "retire-secret", "secret-expiry"):
        texts.append(browser_of_owner.get(reverse(f"wizard:{name}", args=["acme", live.pk])).content.decode())
    texts.append(add(post, live, "another", day="nonsense").content.decode())

    for text in texts:
        assert GOOD_SECRET not in text
        assert BAD_SECRET not in text
        assert "another" not in text.replace("Another", "")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"v-client_secret": ""}, "Nothing new was typed"),
        ({"v-client_secret": "x", "day": "31.1."}, "such as 2027-01-31"),
        ({"v-client_secret": "x", "day": "2020-01-31"}, "This day is over"),
        ({"v-client_secret": "x", "v-client_id": ""}, "set back along with"),
    ],
)
def test_nonsense_is_refused_with_nothing_stored(live, post, token_server, typed, says):
    response = post("next-secret", live, **{"v-client_id": "the-client", **typed})

    assert says in response.content.decode()
    assert not NextValues.objects.exists()
    assert token_server.requests == 0


def test_what_is_not_changed_is_not_among_the_next_values(live, post):
    add(post, live, **{"v-client_id": "the-next-client"})

    assert NextValues.objects.get().values == {"client_id": "the-next-client", "client_secret": BAD_SECRET}


def test_it_can_be_taken_away(live, post, page):
    add(post, live)

    response = post("drop-next-secret", live)

    assert "The present one stays" in response.content.decode()
    assert "Add next secret" in page(live)
    assert not NextValues.objects.exists()


def test_the_present_one_is_retired_after_asking(live, post, browser_of_owner, owner):
    add(post, live)
    asked = browser_of_owner.get(reverse("wizard:retire-secret", args=["acme", live.pk])).content.decode()
    assert "refused the next secret" in asked
    assert stored(live).values["client_secret"] == GOOD_SECRET

    post("retire-secret", live)

    assert stored(live).values["client_secret"] == BAD_SECRET
    assert not NextValues.objects.exists()
    assert live.events.filter(kind=Event.Kind.CHANGED, actor=owner).exists()


def test_a_paused_instance_keeps_it_for_later(live, post, token_server):
    connecting.pause(live)

    response = add(post, live)

    assert "when you resume" in response.content.decode()
    assert NextValues.objects.exists()
    assert token_server.requests == 0


def test_when_the_secret_expires_is_shown_and_changed(instance, post, page, browser_of_owner):
    assert "Not known" in page(instance)

    post("secret-expiry", instance, day=TO_COME)

    assert "31 Jan 2999" in page(instance)
    form = browser_of_owner.get(reverse("wizard:secret-expiry", args=["acme", instance.pk])).content.decode()
    assert f'value="{TO_COME}"' in form
    post("secret-expiry", instance, day="")
    assert stored(instance).secret_expires_at is None


def test_a_day_that_is_over_is_refused(instance, post):
    yesterday = date.today() - timedelta(days=2)

    response = post("secret-expiry", instance, day=yesterday.isoformat())

    assert "This day is over" in response.content.decode()
    assert stored(instance).secret_expires_at is None
