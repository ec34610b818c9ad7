"""One renewal, end to end, with the database it runs on."""

from datetime import timedelta
from uuid import uuid4

import pytest

from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable
from tenants import connecting, schedule
from tenants.errors import NotConnected
from tenants.models import Event, Instance, Tenant, Token
from tenants.models.lease import Ends
from tests.tenants.conftest import Clock
from tests.tenants.provider import Provider, answer

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def read(instance: Instance, provider: Provider, clock: Clock, min_ttl: float | None = None) -> str:
    found = Instance.objects.for_reading().get(pk=instance.pk)
    return found.credentials(min_ttl, send=provider, clock=clock, sleep=clock.sleep).access_token


def test_a_valid_token_is_read_without_a_request(instance, provider, clock, django_assert_num_queries):
    found = Instance.objects.for_reading().get(pk=instance.pk)
    found.credentials(send=provider, clock=clock)

    with django_assert_num_queries(1):
        token = Instance.objects.find("acme", "example").credentials(send=provider, clock=clock)

    assert token.access_token == "token-1"
    assert token.headers == {"Authorization": "Bearer token-1"}
    assert token.base_url == "https://api.example.com/v1"
    assert len(provider.requests) == 1


def test_an_expired_token_is_renewed_before_it_is_read(instance, provider, clock):
    clock.advance(hours=2)

    assert read(instance, provider, clock) == "token-2"
    assert len(provider.requests) == 2


def test_a_reader_gets_the_time_that_was_asked_for(instance, provider, clock):
    clock.advance(minutes=30)

    assert read(instance, provider, clock, min_ttl=1700) == "token-1"
    assert read(instance, provider, clock, min_ttl=1900) == "token-2"


def test_more_time_than_any_token_has_costs_one_request_and_then_none(instance, provider, clock):
    for min_ttl in (4000, 5000, 4000):
        with pytest.raises(ProviderUnavailable, match="3600 seconds in all"):
            read(instance, provider, clock, min_ttl=min_ttl)

    assert len(provider.requests) == 2
    assert read(instance, provider, clock, min_ttl=3600) == "token-2"


def test_what_was_found_out_of_a_providers_tokens_is_believed_while_one_lives(instance, provider, clock):
    with pytest.raises(ProviderUnavailable):
        read(instance, provider, clock, min_ttl=4000)
    provider.lifetime = 7200

    clock.advance(minutes=59)
    with pytest.raises(ProviderUnavailable):
        read(instance, provider, clock, min_ttl=4000)
    clock.advance(minutes=2)
    assert read(instance, provider, clock, min_ttl=4000) == "token-3"


def test_who_waited_while_another_found_out_does_not_ask_again(instance, provider, clock):
    other = Token.objects.with_methods().get()
    assert other.take(clock())

    def renew_elsewhere(seconds):
        clock.sleep(seconds)
        if other.issued_at != clock():
            other.renew(send=provider, clock=clock)

    found = Instance.objects.for_reading().get(pk=instance.pk)
    with pytest.raises(ProviderUnavailable, match="3600 seconds in all"):
        found.credentials(4000, send=provider, clock=clock, sleep=renew_elsewhere)

    assert len(provider.requests) == 2


def test_a_token_that_was_short_by_chance_says_nothing_of_the_next(instance, provider, clock):
    # As where `expires_in` is what remains of a token that others share.
    provider.lifetime = 60
    connecting.check_now(instance, send=provider, clock=clock)
    provider.lifetime = 3600

    assert read(instance, provider, clock, min_ttl=120) == "token-3"


def test_the_schedule_renews_at_four_fifths_of_life_and_never_before_half(instance, provider, clock):
    token = Token.objects.get()
    age = token.refresh_at - token.issued_at

    assert timedelta(minutes=30) <= age <= timedelta(minutes=48)
    assert schedule.renew_chunk(send=provider, clock=clock).claimed == 0
    clock.advance(minutes=48)
    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1
    assert read(instance, provider, clock) == "token-2"


def test_a_slow_loser_cannot_overwrite_a_newer_token(instance, provider, clock):
    slow = Token.objects.with_methods().get()
    assert slow.take(clock())
    clock.advance(minutes=10)
    quick = Token.objects.with_methods().get()
    assert quick.take(clock())
    quick.renew(send=provider, clock=clock)

    kept = slow.keep(slow.ask(send=provider, clock=clock))

    assert not kept
    assert Token.objects.get().bought.access_token == "token-2"


def test_a_lease_keeps_others_out_until_it_ends(instance, clock):
    one, other = Token.objects.with_methods().get(), Token.objects.with_methods().get()

    assert one.take(clock())
    assert not other.take(clock())
    clock.advance(minutes=10)
    assert other.take(clock())


def test_claims_do_not_overlap(instance, clock):
    clock.advance(hours=1)
    ends = Ends.at(clock() + timedelta(minutes=1))

    first = Token.claim_due(clock(), owner=uuid4(), ends=ends, limit=10)
    second = Token.claim_due(clock(), owner=uuid4(), ends=ends, limit=10)

    assert (len(first), len(second)) == (1, 0)


def test_sets_aside_an_instance_whose_credentials_are_refused(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [answer(401, {"error": "invalid_client"})]

    with pytest.raises(CredentialsRefused, match="invalid_client"):
        read(instance, provider, clock)

    instance.refresh_from_db()
    assert instance.status == Instance.Status.ACTION_REQUIRED
    assert not Token.objects.due(clock() + timedelta(days=30)).exists()
    with pytest.raises(CredentialsRefused, match="invalid_client"):
        read(instance, provider, clock)
    assert len(provider.requests) == 2


def test_a_failing_provider_is_asked_again_later_while_the_old_token_serves(instance, provider, clock):
    clock.advance(minutes=50)
    provider.answers = [answer(503, {}, Retry_After="120")]

    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert tally.failed == 1
    instance.refresh_from_db()
    assert instance.status == Instance.Status.FAILING
    assert read(instance, provider, clock) == "token-1"
    assert Token.objects.get().refresh_at >= clock() + timedelta(seconds=120)


def test_backoff_is_obeyed_by_readers_too(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [answer(503, {}, Retry_After="60")]
    with pytest.raises(ProviderUnavailable):
        read(instance, provider, clock)

    with pytest.raises(ProviderUnavailable) as second:
        read(instance, provider, clock)

    assert len(provider.requests) == 2
    assert second.value.retry_after == pytest.approx(60)


def test_recovery_is_recorded(instance, provider, clock):
    clock.advance(minutes=50)
    provider.answers = [answer(503, {})]
    schedule.renew_chunk(send=provider, clock=clock)
    clock.advance(minutes=5)

    schedule.renew_chunk(send=provider, clock=clock)

    instance.refresh_from_db()
    assert instance.status == Instance.Status.ACTIVE
    assert [event.kind for event in instance.events.all()] == [
        Event.Kind.RECOVERED,
        Event.Kind.FAILING,
        Event.Kind.CONNECTED,
    ]


def test_the_same_token_handed_back_is_not_asked_for_again_until_it_dies(instance, provider, clock):
    clock.advance(minutes=50)
    provider.answers = [answer(200, {"access_token": "token-1", "expires_in": 600})]
    schedule.renew_chunk(send=provider, clock=clock)

    token = Token.objects.get()
    assert token.refresh_at == clock() + timedelta(minutes=10)
    clock.advance(minutes=9, seconds=50)
    assert read(instance, provider, clock) == "token-1"
    assert len(provider.requests) == 2


def test_a_rejected_token_is_not_served_again(instance, provider, clock):
    assert instance.report_rejected("token-1", clock=clock)

    assert read(instance, provider, clock) == "token-2"
    assert not instance.report_rejected("token-1", clock=clock)
    assert read(instance, provider, clock) == "token-2"


def test_a_token_that_is_rejected_over_and_over_is_not_replaced_for_ever(instance, provider, clock):
    heeded = []
    for _ in range(20):
        token = read(instance, provider, clock)
        heeded.append(instance.report_rejected(token, clock=clock))

    assert sum(heeded) == 5
    assert len(provider.requests) == 6


def test_a_token_without_expiry_is_kept_until_it_is_rejected(tenant, method, provider, clock):
    provider.lifetime = None
    values = {"client_id": "id", "client_secret": "secret"}
    instance = connecting.connect(tenant, method, values=values, send=provider, clock=clock)
    clock.advance(days=400)

    assert read(instance, provider, clock) == "token-1"
    assert not Token.objects.due(clock()).exists()


def test_a_paused_instance_hands_out_nothing_and_is_not_renewed(instance, provider, clock):
    connecting.pause(instance, clock=clock)
    clock.advance(hours=2)

    with pytest.raises(NotConnected, match="paused"):
        read(instance, provider, clock)
    assert schedule.renew_chunk(send=provider, clock=clock).claimed == 0
    connecting.resume(instance, clock=clock)
    assert read(instance, provider, clock) == "token-2"


def test_a_failed_reconnection_leaves_values_and_token_as_they_were(instance, provider, clock):
    provider.answers = [answer(401, {"error": "invalid_client"})]

    with pytest.raises(CredentialsRefused):
        connecting.reconnect(instance, values={"client_id": "id", "client_secret": "wrong"}, send=provider, clock=clock)

    instance.refresh_from_db()
    assert instance.status == Instance.Status.ACTIVE
    assert instance.filled_in.values["client_secret"] == "s3cret-value"
    assert Token.objects.get().lease_owner is None
    assert read(instance, provider, clock) == "token-1"


def test_a_failed_connection_leaves_nothing(tenant, method, provider, clock):
    provider.answers = [answer(401, {"error": "invalid_client"})]

    with pytest.raises(CredentialsRefused):
        connecting.connect(tenant, method, values={"client_id": "id", "client_secret": "x"}, send=provider, clock=clock)

    assert not Instance.objects.exists()


def test_no_event_repr_or_error_shows_a_secret(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [answer(401, {"error": "invalid_client", "error_description": "bad secret s3cret-value"})]

    with pytest.raises(CredentialsRefused) as refused:
        read(instance, provider, clock)

    shown = [repr(refused.value), str(refused.value), *(event.message for event in Event.objects.all())]
    assert not any("s3cret-value" in text or "token-1" in text for text in shown)
    assert Tenant.objects.count() == 1


def test_a_short_lived_token_is_renewed_before_a_reader_has_to_wait(tenant, method, provider, clock):
    provider.lifetime = 120
    values = {"client_id": "id", "client_secret": "secret"}

    connecting.connect(tenant, method, values=values, send=provider, clock=clock)

    token = Token.objects.get()
    assert timedelta(seconds=60) <= token.refresh_at - token.issued_at <= timedelta(seconds=80)
