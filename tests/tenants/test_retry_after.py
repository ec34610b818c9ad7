"""“Come back later” holds for every instance at that host, whoever asks."""

from datetime import timedelta

import pytest

from connectors.oauth2.errors import ProviderUnavailable
from tenants import connecting, schedule
from tenants.models import Endpoint, Instance, Token
from tests.tenants.fleet import VALUES, read
from tests.tenants.provider import answer, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def asked_for_peace(fleet, provider, clock):
    Token.objects.filter(pk=fleet[0].pk).update(refresh_at=clock())
    provider.answers = [answer(429, {}, Retry_After="600")]
    schedule.renew_chunk(send=provider, clock=clock)
    provider.requests.clear()


@pytest.mark.usefixtures("asked_for_peace")
def test_the_schedule_asks_for_none_until_then(fleet, provider, clock):
    Token.objects.update(refresh_at=clock())

    schedule.renew_chunk(send=provider, clock=clock)
    assert not provider.requests

    clock.advance(seconds=600)
    schedule.renew_chunk(send=provider, clock=clock)
    assert len(provider.requests) == 1


def test_what_waits_in_the_same_chunk_is_not_asked_for_any_more(fleet, provider, clock):
    Token.objects.update(refresh_at=clock())
    provider.answers = [answer(429, {}, Retry_After="600")]
    provider.requests.clear()

    tally = schedule.renew_chunk(send=provider, clock=clock, at_once=1)

    assert len(provider.requests) == 1
    assert (tally.failed, tally.spared) == (1, 9)
    assert not Token.objects.exclude(lease_owner=None).exists()
    assert Instance.objects.filter(status=Instance.Status.ACTIVE).count() == 9
    clock.advance(seconds=601)
    assert schedule.renew_chunk(send=provider, clock=clock, at_once=1).renewed == 1


@pytest.mark.usefixtures("asked_for_peace")
def test_readers_people_and_new_connections_are_told_until_when(fleet, tenant, method, provider, clock):
    Token.objects.update(expires_at=clock())

    for act in (
        lambda: read(fleet[1], provider, clock),
        lambda: connecting.check_now(fleet[2], send=provider, clock=clock, sleep=clock.sleep),
        lambda: connecting.reconnect(fleet[3], values=VALUES, send=provider, clock=clock, sleep=clock.sleep),
        lambda: connecting.connect(tenant, method, name="new", values=VALUES, send=provider, clock=clock),
    ):
        with pytest.raises(ProviderUnavailable) as told:
            act()
        assert told.value.retry_after == 600

    assert not provider.requests
    assert not Token.objects.exclude(lease_owner=None).exists()


def test_what_was_said_to_one_is_not_told_to_the_others(fleet, provider, clock):
    Token.objects.filter(pk=fleet[0].pk).update(refresh_at=clock())
    said = {"error": "slow_down", "error_description": "Client of Umbrella Corp is over its limit."}
    provider.answers = [answer(429, said, Retry_After="600")]
    schedule.renew_chunk(send=provider, clock=clock)
    Token.objects.filter(pk=fleet[1].pk).update(expires_at=clock())

    with pytest.raises(ProviderUnavailable) as told:
        read(fleet[1], provider, clock)

    assert "Umbrella" in Instance.objects.get(pk=fleet[0].pk).status_reason
    assert "Umbrella" not in str(told.value)
    assert "Too many tokens were asked for" in str(told.value)


@pytest.mark.usefixtures("asked_for_peace")
def test_another_host_is_asked_as_ever(tenant, provider, clock):
    method = make_method("other", token_request={"url": "https://login.example.org/token"})

    assert connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)


@pytest.mark.usefixtures("asked_for_peace")
def test_a_token_that_lives_goes_on_being_served(fleet, provider, clock):
    assert read(fleet[0], provider, clock) == "token-1"


def test_a_probe_that_fails_does_not_shorten_the_wish(fleet, clock, provider):
    Token.objects.filter(pk=fleet[0].pk).update(refresh_at=clock())
    provider.answers = [answer(503, {}, Retry_After="3000")]
    schedule.renew_chunk(send=provider, clock=clock)
    endpoint = Endpoint.objects.get()

    endpoint.meet([(fleet[1].pk, ProviderUnavailable("No answer.", is_endpoints=True))], clock())

    assert endpoint.retry_at == clock() + timedelta(seconds=3000)
