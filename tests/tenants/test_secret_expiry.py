"""Secrets that run out are warned of, a month, a week and a day ahead, once each."""

from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.db import connection

from connectors.oauth2.errors import ProviderUnavailable
from tenants import connecting, next_secret, secret_expiry
from tenants.models import InstanceValues
from tests.tenants.provider import answer

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def warnings(instance):
    return [event.message for event in instance.events.filter(kind="secret_expiring")]


@pytest.fixture
def expiring(instance, clock):
    secret_expiry.set_expiry(instance, clock() + timedelta(days=40), clock=clock)
    return instance


def test_each_distance_is_warned_of_once(expiring, clock):
    seen = []
    for day in range(45):
        secret_expiry.warn(clock())
        secret_expiry.warn(clock())
        seen.append((day, len(warnings(expiring))))
        clock.advance(days=1)

    assert [day for day, count in seen if count > dict(seen).get(day - 1, 0)] == [10, 33, 39]
    assert "in 30 days" in warnings(expiring)[-1]
    assert "in 7 days" in warnings(expiring)[1]
    assert "in a day" in warnings(expiring)[0]


def test_one_that_is_said_to_expire_tomorrow_is_warned_of_once_not_three_times(instance, clock):
    secret_expiry.set_expiry(instance, clock() + timedelta(hours=20), clock=clock)

    assert secret_expiry.warn(clock()) == 1
    assert secret_expiry.warn(clock()) == 0


def test_another_date_begins_anew(expiring, clock):
    clock.advance(days=20)
    secret_expiry.warn(clock())

    secret_expiry.set_expiry(expiring, clock() + timedelta(days=25), clock=clock)

    assert secret_expiry.warn(clock()) == 1


def test_a_next_secret_that_stands_ready_brings_peace_and_its_own_date(expiring, provider, clock):
    clock.advance(days=35)
    later = clock() + timedelta(days=365)

    next_secret.add(
        expiring, {"client_secret": "new"}, secret_expires_at=later, send=provider, clock=clock, sleep=clock.sleep
    )

    assert InstanceValues.objects.get().secret_expires_at == later
    assert secret_expiry.warn(clock()) == 0


def test_a_new_secret_has_no_date_until_somebody_gives_one(expiring, provider, clock):
    connecting.reconnect(
        expiring, values={"client_id": "id", "client_secret": "new"}, send=provider, clock=clock, sleep=clock.sleep
    )

    assert InstanceValues.objects.get().secret_expires_at is None


def test_who_is_paused_is_left_in_peace(expiring, clock):
    connecting.pause(expiring, clock=clock)
    clock.advance(days=35)

    assert secret_expiry.warn(clock()) == 0


def test_the_same_date_said_again_brings_no_second_warning(expiring, clock):
    clock.advance(days=20)
    secret_expiry.warn(clock())

    secret_expiry.set_expiry(expiring, InstanceValues.objects.get().secret_expires_at, clock=clock)

    assert secret_expiry.warn(clock()) == 0
    assert len(warnings(expiring)) == 1


@contextmanager
def after_the_first_search(action):
    """Do something right after what is to be warned of was looked for the first time."""
    todo = [action]

    def look(execute, sql, params, many, context):
        found = execute(sql, params, many, context)
        if todo and sql.startswith("SELECT") and "warned_days" in sql:
            todo.pop()()
        return found

    with connection.execute_wrapper(look):
        yield
    assert not todo


def test_a_date_that_is_given_while_dates_are_looked_at_is_warned_of_once(instance, clock):
    tomorrow = clock() + timedelta(hours=20)
    with after_the_first_search(lambda: secret_expiry.set_expiry(instance, tomorrow, clock=clock)):
        secret_expiry.warn(clock())

    secret_expiry.warn(clock())

    assert len(warnings(instance)) == 1


def test_who_pauses_while_dates_are_looked_at_is_left_in_peace(expiring, clock):
    clock.advance(days=39, hours=12)

    with after_the_first_search(lambda: connecting.pause(expiring, clock=clock)):
        assert secret_expiry.warn(clock()) == 0


def test_whose_next_secret_came_while_dates_were_looked_at_is_left_in_peace(expiring, provider, clock):
    clock.advance(days=39, hours=12)
    provider.answers = [answer(401, {"error": "invalid_client"})]

    with after_the_first_search(
        lambda: next_secret.add(expiring, {"client_secret": "n"}, send=provider, clock=clock, sleep=clock.sleep)
    ):
        assert secret_expiry.warn(clock()) == 0


@pytest.mark.parametrize("is_tried", [True, False])
def test_next_values_without_a_secret_leave_the_day_of_the_one_that_stays(expiring, provider, clock, is_tried):
    day = InstanceValues.objects.get().secret_expires_at
    if not is_tried:
        provider.answers = [answer(503, {})]
    with suppress(ProviderUnavailable):
        next_secret.add(expiring, {"scope": "read"}, send=provider, clock=clock, sleep=clock.sleep)
    next_secret.retire_present(expiring, clock=clock)

    held = InstanceValues.objects.get()
    assert (held.values["scope"], held.secret_expires_at) == ("read", day)
