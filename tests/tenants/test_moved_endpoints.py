"""A definition that names another token endpoint than when a token was last asked for."""

from datetime import timedelta

import pytest

from connectors.oauth2.errors import ProviderUnavailable
from tenants import connecting, next_secret, schedule
from tenants.models import Endpoint, Instance, Token
from tests.tenants.provider import answer, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
OLD, NEW = "https://auth.example.com", "https://login.example.org"


@pytest.fixture
def fleet(tenant, method, provider, clock):
    return [
        connecting.connect(tenant, method, name=f"no. {number}", values=VALUES, send=provider, clock=clock)
        for number in range(6)
    ]


def close(origin, clock, **until):
    since = clock() - timedelta(hours=1)
    return Endpoint.objects.create(
        origin=origin, since=since, witness=Instance.objects.first().pk, is_closed=True, failures=5, **until
    )


def move(method):
    method.token_request = {**method.token_request, "url": f"{NEW}/token"}
    method.save()
    type(method).objects.filter(pk=method.pk).touch()


def in_peace(clock):
    """The new endpoint wishes to be left alone."""
    until = clock() + timedelta(minutes=10)
    return close(NEW, clock, retry_at=until, alone_until=until)


def test_instances_of_an_endpoint_that_is_gone_go_on_at_the_new_one_together(fleet, method, provider, clock):
    clock.advance(hours=2)
    close(OLD, clock, retry_at=clock())
    move(method)

    schedule.renew_chunk(send=provider, clock=clock)
    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert tally.renewed == 5
    assert set(Token.objects.values_list("endpoint", flat=True)) == {NEW}


def test_a_reader_asks_the_new_one_though_the_old_one_is_closed(fleet, method, provider, clock):
    clock.advance(hours=2)
    close(OLD, clock, retry_at=clock() + timedelta(minutes=1))
    move(method)

    found = Instance.objects.get(pk=fleet[0].pk)

    assert found.credentials(send=provider, clock=clock, sleep=clock.sleep).access_token == "token-7"


def test_the_schedule_leaves_the_new_one_alone_where_that_is_its_wish(fleet, method, provider, clock):
    clock.advance(hours=2)
    in_peace(clock)
    move(method)
    provider.requests.clear()

    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert not provider.requests
    assert tally.spared == 6
    assert not Token.objects.exclude(lease_owner=None).exists()
    assert schedule.renew_chunk(send=provider, clock=clock).claimed == 0
    clock.advance(minutes=10)
    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1


def test_a_wish_of_the_new_one_that_comes_in_the_course_of_a_chunk_is_heeded_by_the_rest(
    fleet, method, provider, clock
):
    clock.advance(hours=2)
    move(method)
    provider.requests.clear()
    provider.answers = [answer(429, {}, Retry_After="600")]

    tally = schedule.renew_chunk(send=provider, clock=clock, at_once=1)

    assert (len(provider.requests), tally.failed, tally.spared) == (1, 1, 5)


def test_readers_and_people_leave_the_new_one_alone_where_that_is_its_wish(fleet, method, provider, clock):
    Token.objects.update(expires_at=clock())
    in_peace(clock)
    move(method)
    provider.requests.clear()
    instances = [Instance.objects.get(pk=instance.pk) for instance in fleet]

    for act in (
        lambda: instances[0].credentials(send=provider, clock=clock, sleep=clock.sleep),
        lambda: connecting.check_now(instances[1], send=provider, clock=clock, sleep=clock.sleep),
        lambda: next_secret.add(
            instances[2], {"client_secret": "another"}, send=provider, clock=clock, sleep=clock.sleep
        ),
    ):
        with pytest.raises(ProviderUnavailable) as told:
            act()
        assert told.value.retry_after == 600

    assert not provider.requests


def test_an_instance_that_was_never_asked_for_leaves_an_endpoint_alone_too(fleet, tenant, provider, clock):
    other = make_method("other", token_request={"url": f"{NEW}/token"})
    in_peace(clock)
    pending = connecting.add_pending(tenant, other, values=VALUES, clock=clock)
    provider.requests.clear()

    with pytest.raises(ProviderUnavailable):
        connecting.check_now(pending, send=provider, clock=clock, sleep=clock.sleep)

    assert not provider.requests
