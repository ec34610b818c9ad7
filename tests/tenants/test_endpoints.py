"""A token endpoint in trouble: what some instances meet there spares the others the asking."""

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable
from tenants import connecting, next_secret, renewal, schedule
from tenants.models import Endpoint, Instance, Token, recovery
from tests.tenants.fleet import VALUES, read
from tests.tenants.provider import answer, history

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

ORIGIN = "https://auth.example.com"


class Host(dict):
    """Answers by what was told for the whole endpoint, and counts the requests."""

    def __init__(self, provider):
        self.provider, self.is_down, self.asked = provider, False, 0

    def __call__(self, request):
        self.asked += 1
        if self.is_down:
            raise ProviderUnavailable("No answer came.", is_endpoints=True)
        return self.provider(request)


@pytest.fixture
def host(provider):
    return Host(provider)


def go_down(fleet, host, clock):
    """Half of the fleet is due, and meets the trouble."""
    host.is_down = True
    Token.objects.filter(pk__in=[instance.pk for instance in fleet[:5]]).update(refresh_at=clock())
    schedule.renew_chunk(send=host, clock=clock)
    host.asked = 0


def test_trouble_of_several_instances_closes_the_endpoint_for_all(fleet, host, clock):
    go_down(fleet, host, clock)
    clock.advance(minutes=58)  # all are due
    Endpoint.objects.update(retry_at=clock() + timedelta(seconds=1))

    tally = schedule.renew_chunk(send=host, clock=clock)

    assert Endpoint.objects.get().origin == ORIGIN
    assert (tally.claimed, host.asked) == (0, 0)
    assert schedule.chunks_due(clock) == 0


def test_what_waits_in_the_chunk_that_finds_the_trouble_is_spared(fleet, host, clock):
    host.is_down = True
    Token.objects.update(refresh_at=clock())

    tally = schedule.renew_chunk(send=host, clock=clock, at_once=1)

    assert (host.asked, tally.failed) == (renewal.CLOSED_AFTER, renewal.CLOSED_AFTER)
    assert tally.spared == len(fleet) - renewal.CLOSED_AFTER
    assert Endpoint.objects.get().is_closed
    assert not Token.objects.exclude(lease_owner=None).exists()


def test_a_chunk_goes_on_where_an_endpoint_answers_in_between(fleet, host, clock, provider):
    trouble = ProviderUnavailable("No answer came.", is_endpoints=True)
    provider.answers = [trouble, trouble, provider.token("new"), trouble, trouble, provider.token("newer"), trouble]
    Token.objects.update(refresh_at=clock())

    tally = schedule.renew_chunk(send=host, clock=clock, at_once=1)

    assert (tally.failed, tally.renewed, tally.spared) == (5, 5, 0)


def test_one_instance_alone_closes_nothing(fleet, host, clock):
    host.is_down = True
    for _ in range(renewal.CLOSED_AFTER + 2):
        Token.objects.filter(pk=fleet[0].pk).update(refresh_at=clock())
        schedule.renew_chunk(send=host, clock=clock)
        clock.advance(seconds=1)

    assert host.asked == renewal.CLOSED_AFTER + 2
    assert not Endpoint.objects.get().is_closed


def test_an_answer_in_between_forgets_the_trouble(fleet, host, clock):
    for number, is_down in enumerate((True, False, True, False, True)):
        host.is_down = is_down
        Token.objects.filter(pk=fleet[number].pk).update(refresh_at=clock())
        schedule.renew_chunk(send=host, clock=clock)

    assert Endpoint.objects.get().failures == 1


def test_a_closed_endpoint_is_probed_by_one_request_at_a_time_in_growing_pauses(fleet, host, clock):
    go_down(fleet, host, clock)
    clock.advance(hours=2)
    Endpoint.objects.update(retry_at=clock())
    asked_at = []

    start = clock()
    while clock() < start + timedelta(minutes=4):
        before = host.asked
        for _ in range(3):  # as many workers
            schedule.renew_chunk(send=host, clock=clock)
        asked_at += [(clock() - start).total_seconds()] * (host.asked - before)
        clock.advance(seconds=1)

    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses == sorted(pauses)
    assert all(pauses)
    assert pauses[-1] == renewal.PROBE_MOST.total_seconds()


def test_when_it_is_back_all_are_renewed_in_order_of_their_end_and_not_at_once(fleet, host, clock, provider):
    go_down(fleet, host, clock)
    clock.advance(minutes=59)
    host.is_down = False
    Endpoint.objects.update(retry_at=clock())

    first = schedule.renew_chunk(send=host, clock=clock)

    assert first.renewed == 1
    assert not Endpoint.objects.exists()
    waiting = Token.objects.exclude(renewed_at=clock()).order_by("refresh_at")
    assert len(waiting) == 9
    assert [token.expires_at for token in waiting] == sorted(token.expires_at for token in waiting)
    times = [(token.refresh_at - clock()).total_seconds() for token in waiting]
    assert times == [pytest.approx(renewal.paced(rank).total_seconds()) for rank in range(9)]
    clock.advance(seconds=5)
    assert schedule.renew_chunk(send=host, clock=clock).renewed == 9


def test_a_refusal_is_an_answer_too(fleet, host, clock, provider):
    go_down(fleet, host, clock)
    clock.advance(minutes=59)
    host.is_down = False
    provider.answers = [answer(401, {"error": "invalid_client"})]
    Endpoint.objects.update(retry_at=clock())

    schedule.renew_chunk(send=host, clock=clock)

    assert not Endpoint.objects.exists()


def test_a_probe_that_never_comes_back_is_followed_by_another_a_lease_later(fleet, host, clock):
    go_down(fleet, host, clock)
    clock.advance(hours=2)
    Endpoint.objects.update(retry_at=clock())
    assert Endpoint.objects.get().take_probe(clock())

    assert schedule.renew_chunk(send=host, clock=clock).claimed == 0
    clock.advance(minutes=1)
    assert schedule.renew_chunk(send=host, clock=clock).claimed == 1


def test_readers_are_told_of_the_trouble_without_a_request_and_one_of_them_probes(fleet, host, clock):
    go_down(fleet, host, clock)
    clock.advance(hours=2)
    Endpoint.objects.update(retry_at=clock() + timedelta(seconds=20))

    with pytest.raises(ProviderUnavailable, match="has been in trouble since 12:00:00 UTC") as told:
        read(fleet[8], host, clock)
    assert (told.value.retry_after, host.asked) == (20, 0)

    clock.advance(seconds=20)
    host.is_down = False
    assert read(fleet[8], host, clock)
    assert host.asked == 1
    assert read(fleet[9], host, clock)


def test_readers_of_instances_that_failed_need_not_wait_for_their_turn_once_it_is_back(fleet, host, clock):
    go_down(fleet, host, clock)
    clock.advance(hours=2)
    host.is_down = False
    Endpoint.objects.update(retry_at=clock())
    schedule.renew_chunk(send=host, clock=clock)

    for instance in fleet:
        assert read(instance, host, clock)


def test_a_token_that_dies_while_its_endpoint_is_closed_makes_the_instance_failing_with_that_reason(fleet, host, clock):
    go_down(fleet, host, clock)
    clock.advance(hours=2)
    Endpoint.objects.update(retry_at=clock() + timedelta(minutes=1))

    schedule.renew_chunk(send=host, clock=clock)

    last = Instance.objects.get(pk=fleet[9].pk)
    assert (last.status, last.status_code) == (Instance.Status.FAILING, "provider_unavailable")
    assert "auth.example.com has been in trouble" in last.status_reason
    assert history(last)[0] == ("failing", "active", "failing")
    assert host.asked == 0


def test_each_recovers_and_it_is_recorded_once(fleet, host, clock):
    go_down(fleet, host, clock)
    clock.advance(hours=2)
    schedule.renew_chunk(send=host, clock=clock)
    host.is_down = False
    for _ in range(80):
        clock.advance(seconds=1)
        schedule.renew_chunk(send=host, clock=clock)

    for instance in fleet:
        assert Instance.objects.get(pk=instance.pk).status == Instance.Status.ACTIVE
        assert [kind for kind, _, _ in history(instance)].count("recovered") == 1


def test_credentials_that_are_refused_say_nothing_of_the_endpoint(fleet, provider, clock):
    for instance in fleet[:4]:
        provider.answers = [answer(401, {"error": "invalid_client"})]
        with pytest.raises(CredentialsRefused):
            connecting.check_now(instance, send=provider, clock=clock, sleep=clock.sleep)

    assert not Endpoint.objects.exists()


def test_what_a_person_is_told_by_a_busy_endpoint_holds_for_everyone(fleet, host, clock, provider):
    provider.answers = [answer(429, {}, Retry_After="300")]
    with pytest.raises(ProviderUnavailable):
        connecting.reconnect(fleet[0], values=VALUES, send=host, clock=clock, sleep=clock.sleep)
    asked = host.asked

    with pytest.raises(ProviderUnavailable):
        connecting.reconnect(fleet[1], values=VALUES, send=host, clock=clock, sleep=clock.sleep)
    with pytest.raises(ProviderUnavailable):
        next_secret.add(fleet[2], {"client_secret": "another"}, send=host, clock=clock, sleep=clock.sleep)

    assert host.asked == asked


def test_an_answer_does_not_undo_a_wish_that_was_heard_together_with_it(fleet, host, clock, provider):
    Token.objects.filter(pk__in=[fleet[0].pk, fleet[1].pk]).update(refresh_at=clock())
    provider.answers = [answer(429, {}, Retry_After="300")]

    schedule.renew_chunk(send=host, clock=clock)

    assert Endpoint.objects.get().alone_until == clock() + timedelta(seconds=300)


def test_an_endpoint_that_is_back_lets_those_in_whose_worker_died(fleet, host, clock):
    go_down(fleet, host, clock)
    now = clock()
    Token.objects.filter(pk=fleet[0].pk).update(
        lease_owner=uuid4(), lease_until=now, refresh_at=now + timedelta(hours=1)
    )
    host.is_down = False
    clock.advance(minutes=10)

    schedule.renew_chunk(send=host, clock=clock)

    assert not Endpoint.objects.exists()
    assert Token.objects.get(pk=fleet[0].pk).refresh_at <= clock() + timedelta(minutes=1)


@pytest.mark.parametrize("meanwhile", ["paused", "renewed"])
def test_who_no_longer_waits_when_the_endpoint_is_back_is_given_no_time(fleet, host, clock, provider, meanwhile):
    go_down(fleet, host, clock)
    clock.advance(minutes=2)
    last = fleet[4]

    class Listed(type(Token.objects.all())):
        """Something happens once those that wait are listed."""

        def values_list(self, *fields, **how):
            found = list(super().values_list(*fields, **how))
            if meanwhile == "paused":
                connecting.pause(last, clock=clock)
            else:
                Token.objects.filter(pk=last.pk).update(refresh_at=clock() + timedelta(hours=1), failures=0)
            return found

    grant = Token.objects.with_methods().get(pk=fleet[0].pk).ask(send=provider, clock=clock)
    planned = {"paused": None, "renewed": clock() + timedelta(hours=1)}[meanwhile]

    recovery.note([recovery.Heard(ORIGIN, fleet[0].pk, grant)], clock(), tokens=Listed(Token))

    assert Token.objects.get(pk=last.pk).refresh_at == planned
    assert not Endpoint.objects.exists()
