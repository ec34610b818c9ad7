"""Readers who find a lease taken wait for what comes of it; whoever loses one takes the winner's token."""

import pytest

from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable
from tenants import connecting
from tenants.errors import InstanceNotFound
from tenants.models import Instance, Token
from tests.tenants.provider import answer, in_the_middle, read

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_a_reader_whose_lease_was_overtaken_gets_the_winners_token(instance, provider, clock):
    clock.advance(hours=2)

    def overtake():
        clock.advance(minutes=10)
        connecting.check_now(instance, send=provider, clock=clock, sleep=clock.sleep)

    token = read(instance, in_the_middle(provider, overtake), clock)

    assert token == "token-2"
    assert Token.objects.get().bought.access_token == "token-2"
    assert Token.objects.get().lease_owner is None


def test_a_reader_whose_failure_was_overtaken_gets_the_winners_token(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [provider.token("winner"), answer(503, {})]

    def overtake():
        clock.advance(minutes=10)
        connecting.check_now(instance, send=provider, clock=clock, sleep=clock.sleep)

    assert read(instance, in_the_middle(provider, overtake), clock) == "winner"
    instance.refresh_from_db()
    assert instance.status == Instance.Status.ACTIVE


def test_a_reader_waits_for_who_holds_the_lease_and_makes_no_request(instance, provider, clock):
    clock.advance(hours=2)
    other = Token.objects.with_methods().get()
    assert other.take(clock())

    def sleep(seconds):
        clock.sleep(seconds)
        other.renew(send=provider, clock=clock)

    assert read(instance, provider, clock, sleep=sleep) == "token-2"
    assert len(provider.requests) == 2


def test_a_reader_who_waited_for_a_failure_is_told_so_and_makes_no_request(instance, provider, clock):
    clock.advance(hours=2)
    other = Token.objects.with_methods().get()
    assert other.take(clock())
    provider.answers = [answer(401, {"error": "invalid_client"})]

    def sleep(seconds):
        clock.sleep(seconds)
        with pytest.raises(CredentialsRefused):
            other.renew(send=provider, clock=clock)

    with pytest.raises(CredentialsRefused, match="invalid_client"):
        read(instance, provider, clock, sleep=sleep)

    assert len(provider.requests) == 2
    assert Token.objects.get().lease_owner is None


def test_what_is_known_already_is_said_without_waiting(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [answer(401, {"error": "invalid_client"})]
    with pytest.raises(CredentialsRefused):
        read(instance, provider, clock)
    assert Token.objects.get().take(clock())

    with pytest.raises(CredentialsRefused):
        read(instance, provider, clock, sleep=pytest.fail)


def test_a_fault_of_ours_leaves_no_lease(instance, clock):
    clock.advance(hours=2)

    def broken(request):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        read(instance, broken, clock)

    assert Token.objects.get().lease_owner is None


def test_waiting_for_a_lease_does_not_let_a_third_one_in(instance, provider, clock):
    clock.advance(hours=2)
    holder, reader, third = (Token.objects.with_methods().get() for _ in range(3))
    assert holder.take(clock())
    reader.refresh_from_db()

    reader.give_back()

    assert not third.take(clock())


def test_a_lease_that_is_never_given_back_is_waited_for_and_taken(instance, provider, clock):
    clock.advance(hours=2)
    assert Token.objects.get().take(clock())

    assert read(instance, provider, clock) == "token-2"


def test_a_lease_that_passes_from_hand_to_hand_is_not_waited_for_for_ever(instance, provider, clock):
    clock.advance(hours=2)
    assert Token.objects.get().take(clock())

    def sleep(seconds):
        clock.sleep(seconds)
        Token.objects.update(lease_until=clock.now.replace(year=2027))

    with pytest.raises(ProviderUnavailable, match="renewed elsewhere") as refused:
        read(instance, provider, clock, sleep=sleep)

    assert refused.value.retry_after
    assert len(provider.requests) == 1


def test_a_removal_while_waiting_for_a_lease_is_said_in_words(instance, provider, clock):
    clock.advance(hours=2)
    assert Token.objects.get().take(clock())

    with pytest.raises(InstanceNotFound, match="removed meanwhile"):
        read(instance, provider, clock, sleep=lambda _: connecting.remove(Instance.objects.get()))
