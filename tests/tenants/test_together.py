"""Several instances reconnected at once: each under its lease, none of which runs out meanwhile."""

from datetime import timedelta

import pytest
from django.db import connection

from tenants import connecting
from tenants.errors import InstanceNotFound, ProviderUnavailable
from tenants.models import Token
from tenants.models.lease import lease_length
from tenants.models.mint_account import MintAccount
from tenants.together import THREADS, NotAllConnected, Wanted, connect_all
from tests.tenants.provider import make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


@pytest.fixture
def connect_several(tenant, provider, clock):
    """So many instances, in the order in which their leases are taken."""

    def connected(count, **sections):
        method = make_method(**sections)
        made = [
            connecting.connect(tenant, method, name=f"number {n}", values=VALUES, send=provider, clock=clock)
            for n in range(count)
        ]
        return sorted(made, key=lambda instance: str(instance.pk))

    return connected


def reconnect(tenant, instances, provider, clock, sleep):
    wanted = {one.name: Wanted(one.auth_method, VALUES, {}, instance=one) for one in instances}
    connect_all(tenant, wanted, keep=lambda made: None, send=provider, clock=clock, sleep=sleep)


def taken(instance, clock):
    token = Token.objects.get(pk=instance.pk)
    assert token.take(clock())
    return token


def test_no_lease_runs_out_while_another_is_waited_for(tenant, connect_several, provider, clock):
    first, second = connect_several(2)
    elsewhere = taken(second, clock)
    done_at = clock() + lease_length() * 1.5
    elsewhere.lease_until = done_at
    elsewhere.save(update_fields=["lease_until"])

    def sleep(seconds):
        clock.sleep(seconds)
        if clock() > done_at - timedelta(seconds=2):
            # Whoever finds the first lease free now renews, and its result would count.
            other = Token.objects.get(pk=first.pk)
            if other.take(clock()):
                other.give_back()

    reconnect(tenant, [first, second], provider, clock, sleep)

    assert Token.objects.get(pk=first.pk).bought.access_token in ("token-3", "token-4")
    assert not Token.objects.exclude(lease_owner=None).exists()


def test_what_is_waited_for_keeps_nothing_else_from_being_renewed(tenant, connect_several, provider, clock):
    first, second = connect_several(2)
    elsewhere = taken(second, clock)
    found = []

    def sleep(seconds):
        clock.sleep(seconds)
        found.append(Token.objects.get(pk=first.pk).lease_owner)
        elsewhere.give_back()

    reconnect(tenant, [first, second], provider, clock, sleep)

    assert found == [None]


@pytest.mark.django_db(transaction=True)
def test_leases_last_for_as_many_rounds_as_it_takes_to_ask_all(tenant, connect_several, provider, clock):
    instances = connect_several(THREADS + 1)
    ends = []

    def send(request):
        try:
            ends.extend(Token.objects.values_list("lease_until", flat=True))
        finally:
            connection.close()  # of this thread
        return provider(request)

    reconnect(tenant, instances, send, clock, clock.sleep)

    assert min(ends) - clock() == lease_length(2)


def test_who_can_not_be_had_is_named_and_no_request_was_counted(tenant, connect_several, provider, clock):
    first, second = connect_several(2, refresh={"max_requests": "9/day"})
    counted = MintAccount.objects.get().ledger
    held = taken(second, clock)
    held.lease_until = clock() + timedelta(days=1)
    held.save(update_fields=["lease_until"])

    with pytest.raises(NotAllConnected) as refused:
        reconnect(tenant, [first, second], provider, clock, clock.sleep)

    assert {name: type(error) for name, error in refused.value.errors.items()} == {second.name: ProviderUnavailable}
    assert MintAccount.objects.get().ledger == counted
    assert Token.objects.get(pk=first.pk).lease_owner is None
    assert len(provider.requests) == 2


def test_an_instance_that_is_removed_while_it_is_waited_for_holds_nobody_up(tenant, connect_several, provider, clock):
    first, second = connect_several(2)
    taken(second, clock)

    def sleep(seconds):
        clock.sleep(seconds)
        connecting.remove(second)

    with pytest.raises(NotAllConnected) as refused:
        reconnect(tenant, [first, second], provider, clock, sleep)

    assert isinstance(refused.value.errors[second.name], InstanceNotFound)
    assert Token.objects.get(pk=first.pk).lease_owner is None
