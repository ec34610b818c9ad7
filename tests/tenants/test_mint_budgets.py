"""Providers that allow a client only so many token requests."""

import hashlib
from datetime import timedelta

import pytest

from connectors.oauth2.errors import MintBudgetSpent
from tenants import connecting, next_secret, schedule
from tenants.models import Instance, MintAccount, Token
from tests.tenants.provider import answer, history, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


@pytest.fixture
def limited(db):
    return make_method("limited", refresh={"max_requests": "3/day"})


@pytest.fixture
def instance(tenant, limited, provider, clock):
    return connecting.connect(tenant, limited, values=VALUES, send=provider, clock=clock)


def read(instance, provider, clock):
    found = Instance.objects.for_reading().get(pk=instance.pk)
    return found.credentials(send=provider, clock=clock, sleep=clock.sleep).access_token


def test_a_reader_beyond_the_budget_is_told_when_there_is_more(instance, provider, clock):
    for _ in range(2):
        clock.advance(hours=2)
        read(instance, provider, clock)
    clock.advance(hours=2)

    with pytest.raises(MintBudgetSpent) as spent:
        read(instance, provider, clock)

    assert len(provider.requests) == 3
    assert spent.value.retry_after == pytest.approx(timedelta(hours=18).total_seconds())
    clock.advance(hours=18)
    assert read(instance, provider, clock) == "token-4"


def test_a_token_that_still_lives_serves_while_the_budget_is_spent(instance, provider, clock):
    for _ in range(2):
        connecting.check_now(instance, send=provider, clock=clock, sleep=clock.sleep)

    with pytest.raises(MintBudgetSpent):
        connecting.check_now(instance, send=provider, clock=clock, sleep=clock.sleep)

    assert read(instance, provider, clock) == "token-3"


def test_the_schedule_spreads_renewals_over_the_budget(instance, provider, clock):
    token = Token.objects.get()

    assert token.refresh_at - token.issued_at == timedelta(hours=8)
    clock.advance(hours=8)
    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1


def test_all_instances_of_a_client_share_one_budget(instance, tenant, limited, provider, clock):
    for name in ("second", "third"):
        connecting.connect(tenant, limited, name=name, values=VALUES, send=provider, clock=clock)

    with pytest.raises(MintBudgetSpent):
        connecting.connect(tenant, limited, name="fourth", values=VALUES, send=provider, clock=clock)

    other = {**VALUES, "client_id": "other"}
    connecting.connect(tenant, limited, name="other", values=other, send=provider, clock=clock)
    assert Instance.objects.count() == 4


def test_a_batch_stops_at_the_budget(instance, tenant, limited, provider, clock):
    connecting.connect(tenant, limited, name="second", values=VALUES, send=provider, clock=clock)
    clock.advance(hours=9)

    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert (tally.renewed, tally.failed) == (1, 1)
    assert len(provider.requests) == 3


@pytest.fixture
def twins(tenant, provider, clock):
    """Two instances of one client, which renews each only once an hour; their tokens live longer than that."""
    method = make_method("tight", refresh={"max_requests": "2/hour"})
    provider.lifetime = 4000
    return [
        connecting.connect(tenant, method, name=name, values=VALUES, send=provider, clock=clock)
        for name in ("first", "second")
    ]


def test_the_schedule_waits_for_the_budget_while_the_token_lives(twins, provider, clock):
    clock.advance(minutes=55)

    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert (tally.claimed, tally.spared, tally.failed) == (2, 2, 0)
    assert not Token.objects.exclude(lease_owner=None).exists()
    for instance in twins:
        assert Instance.objects.get(pk=instance.pk).status == Instance.Status.ACTIVE
        assert [kind for kind, _, _ in history(instance)] == ["connected"]
        assert read(instance, provider, clock)
    clock.advance(minutes=5)
    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 2
    assert [kind for kind, _, _ in history(twins[0])] == ["renewed", "connected"]


def test_it_waits_no_longer_than_the_token_lives(twins, provider, clock):
    clock.advance(minutes=55)
    Token.objects.update(expires_at=clock() + timedelta(minutes=1))
    schedule.renew_chunk(send=provider, clock=clock)
    clock.advance(minutes=1)

    assert schedule.renew_chunk(send=provider, clock=clock).failed == 2

    assert {instance.status_code for instance in Instance.objects.all()} == {"mint_budget_spent"}


def test_what_was_paused_meanwhile_waits_for_nothing(twins, clock):
    token = Token.objects.select_related("instance").get(pk=twins[0].pk)
    assert token.take(clock())
    connecting.pause(twins[0], clock=clock)
    token.instance.status = Instance.Status.ACTIVE  # as it was when the token was read

    assert token.postpone(MintBudgetSpent("Spent.", retry_after=60), clock())

    token = Token.objects.get(pk=twins[0].pk)
    assert (token.refresh_at, token.lease_owner) == (None, None)


def test_a_rejected_token_does_not_wait_in_silence(twins, provider, clock):
    twins[0].report_rejected("token-1", clock=clock)

    assert schedule.renew_chunk(send=provider, clock=clock).failed == 1

    assert Instance.objects.get(pk=twins[0].pk).status == Instance.Status.FAILING


def test_the_account_names_nobody(instance):
    account = MintAccount.objects.get()

    plain = hashlib.sha256(b"limited\nid").hexdigest()
    assert len(account.client) == 64
    assert account.client != plain


def test_a_method_without_a_budget_keeps_no_account(tenant, method, provider, clock):
    connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)

    assert not MintAccount.objects.exists()


def test_a_next_secret_that_is_refused_does_not_eat_up_the_budget(tenant, provider, clock):
    method = make_method("scarce", refresh={"max_requests": "2/day"})
    instance = connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)

    def send(request):
        return answer(401, {"error": "invalid_client"}) if b"unknown" in request.body else provider(request)

    clock.advance(hours=1)
    with pytest.raises(MintBudgetSpent):  # the second request is the next secret's; there is none for the present one
        next_secret.add(instance, {"client_secret": "unknown"}, send=send, clock=clock, sleep=clock.sleep)
    for _ in range(80):
        clock.advance(hours=1)
        schedule.renew_chunk(send=send, clock=clock)

    assert Instance.objects.get().status == Instance.Status.ACTIVE
    assert Token.objects.get().renewed_at >= clock() - timedelta(days=1)
