"""What readers get, and are told, where things are not as plain as they might be."""

import pytest

from connectors.encryption import SecretUnreadable
from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable, ValidationFailed
from tenants import connecting, schedule
from tenants.errors import InstanceNotFound, NotConnected, SeveralInstances
from tenants.models import Event, Instance, InstanceValues, Tenant, Token
from tests.tenants.provider import answer, in_the_middle, read

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


def kinds(instance):
    return [event.kind for event in instance.events.all()]


@pytest.mark.parametrize("min_ttl", [float("nan"), -5, 1e300])
def test_a_nonsensical_min_ttl_is_refused_without_a_request(instance, provider, clock, min_ttl):
    with pytest.raises(ValidationFailed):
        read(instance, provider, clock, min_ttl)

    assert len(provider.requests) == 1


def test_the_same_token_handed_back_with_too_little_left_is_asked_for_once(instance, provider, clock):
    clock.advance(minutes=30)
    provider.answers = [answer(200, {"access_token": "token-1", "expires_in": 1800})]

    for _ in range(3):
        with pytest.raises(ProviderUnavailable, match=r"same token, which has 1800 seconds left") as refused:
            read(instance, provider, clock, min_ttl=1900)

    assert refused.value.retry_after == 1800
    assert len(provider.requests) == 2
    assert read(instance, provider, clock) == "token-1"


def test_the_same_token_handed_back_keeps_its_age(instance, provider, clock):
    issued = Token.objects.get().issued_at
    clock.advance(minutes=50)
    provider.answers = [answer(200, {"access_token": "token-1", "expires_in": 600})]

    schedule.renew_chunk(send=provider, clock=clock)

    token = Token.objects.get()
    assert (token.issued_at, token.renewed_at) == (issued, clock())


def test_a_token_that_lives_a_few_seconds_is_renewed_when_half_of_it_is_gone(instance, provider, clock):
    provider.lifetime = 4
    connecting.check_now(instance, send=provider, clock=clock)

    first = read(instance, provider, clock)
    clock.advance(seconds=1.9)
    assert read(instance, provider, clock) == first
    clock.advance(seconds=0.2)
    assert read(instance, provider, clock) != first
    assert len(provider.requests) == 3


def test_a_token_that_runs_out_before_it_can_be_handed_out_is_not_asked_for_for_ever(instance, provider, clock):
    clock.advance(hours=2)
    provider.lifetime = 1

    def ticking():
        clock.advance(seconds=2)
        return clock()

    with pytest.raises(ProviderUnavailable, match=r"tokens live 1 seconds in all"):
        read(instance, provider, ticking, sleep=clock.sleep)

    assert len(provider.requests) == 2


def test_a_minimum_beyond_what_the_provider_issues_costs_one_request(instance, provider, clock):
    clock.advance(hours=2)

    with pytest.raises(ProviderUnavailable, match="3600 seconds in all"):
        read(instance, provider, clock, min_ttl=7200)

    assert len(provider.requests) == 2


def test_a_pause_during_a_renewal_counts_for_the_reader_and_the_schedule(instance, provider, clock):
    clock.advance(hours=2)
    send = in_the_middle(provider, lambda: connecting.pause(instance, clock=clock))

    with pytest.raises(NotConnected, match="paused"):
        read(instance, send, clock)

    instance.refresh_from_db()
    token = Token.objects.get()
    assert instance.status == Instance.Status.PAUSED
    assert (token.refresh_at, token.lease_owner) == (None, None)
    assert token.bought.access_token == "token-2"


def test_a_failure_during_a_pause_leaves_the_pause(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [answer(401, {"error": "invalid_client"})]

    with pytest.raises(CredentialsRefused):
        read(instance, in_the_middle(provider, lambda: connecting.pause(instance, clock=clock)), clock)

    instance.refresh_from_db()
    assert instance.status == Instance.Status.PAUSED
    assert Token.objects.get().refresh_at is None


def test_a_removal_during_a_renewal_is_said_in_words(instance, provider, clock):
    clock.advance(hours=2)
    removed = Instance.objects.get(pk=instance.pk)

    with pytest.raises(InstanceNotFound, match="removed meanwhile"):
        read(instance, in_the_middle(provider, lambda: connecting.remove(removed)), clock)

    assert not Token.objects.exists()


def test_credentials_of_a_removed_instance_report_nothing(instance, provider, clock):
    credentials = instance.credentials(send=provider, clock=clock)
    connecting.remove(Instance.objects.get())

    assert not credentials.report_rejected()


def test_an_instance_without_rows_of_its_own_is_not_connected(tenant, method, clock):
    bare = Instance.objects.create(tenant=tenant, auth_method=method)

    with pytest.raises(NotConnected, match="not connected yet"):
        Instance.objects.find("acme", "example").credentials()
    with pytest.raises(NotConnected):
        bare.client().get("/x")
    assert not bare.report_rejected("token-1")


def test_an_instance_without_values_says_which_are_missing(instance, provider, clock):
    clock.advance(hours=2)
    InstanceValues.objects.all().delete()

    with pytest.raises(ValidationFailed, match="Client ID"):
        read(instance, provider, clock)

    instance.refresh_from_db()
    assert instance.status == Instance.Status.ACTION_REQUIRED


def test_a_living_token_is_served_though_the_credentials_were_refused(instance, provider, clock):
    clock.advance(minutes=50)
    provider.answers = [answer(401, {"error": "invalid_client"})]
    schedule.renew_chunk(send=provider, clock=clock)

    assert read(instance, provider, clock) == "token-1"
    clock.advance(minutes=9, seconds=40)
    with pytest.raises(CredentialsRefused, match="invalid_client"):
        read(instance, provider, clock)
    assert len(provider.requests) == 2


def test_a_rejection_is_recorded_and_makes_the_schedule_renew(instance, provider, clock):
    instance.report_rejected("token-1", clock=clock)

    assert kinds(instance) == [Event.Kind.REJECTED, Event.Kind.CONNECTED]
    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1
    assert read(instance, provider, clock) == "token-2"


def test_a_rejection_does_not_shorten_the_wait_that_the_provider_asked_for(instance, provider, clock):
    clock.advance(minutes=50)
    provider.answers = [answer(503, {}, Retry_After="120")]
    schedule.renew_chunk(send=provider, clock=clock)

    assert instance.report_rejected("token-1", clock=clock)

    assert schedule.renew_chunk(send=provider, clock=clock).claimed == 0
    with pytest.raises(ProviderUnavailable) as refused:
        read(instance, provider, clock)
    assert refused.value.retry_after == pytest.approx(120)


def test_a_rejection_is_heeded_once(instance, clock):
    heeded = [instance.report_rejected("token-1", clock=clock) for _ in range(3)]

    assert heeded == [True, False, False]
    assert Token.objects.get().rejections == 1


def test_a_rejected_token_that_is_handed_back_begins_anew(instance, provider, clock):
    instance.report_rejected("token-1", clock=clock)
    clock.advance(minutes=10)
    provider.answers = [provider.token("token-1")]

    assert read(instance, provider, clock) == "token-1"
    token = Token.objects.get()
    assert (token.issued_at, token.is_repeated) == (clock(), False)


def test_another_token_than_the_stored_one_is_not_rejected(instance, provider, clock):
    assert not instance.report_rejected("token-0", clock=clock)

    assert read(instance, provider, clock) == "token-1"
    assert len(provider.requests) == 1


def test_a_key_that_is_missing_for_a_while_sets_nothing_aside(instance, provider, clock, settings):
    clock.advance(minutes=50)
    keys, settings.FERNET_KEYS = settings.FERNET_KEYS, ["another key that is long enough to be one"]

    with pytest.raises(SecretUnreadable, match="FERNET_KEYS"):
        read(instance, provider, clock)
    assert schedule.renew_chunk(send=provider, clock=clock).failed == 1

    instance.refresh_from_db()
    assert (instance.status, instance.status_code) == (Instance.Status.FAILING, "secret_unreadable")
    settings.FERNET_KEYS = keys
    clock.advance(minutes=1)
    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1


def test_an_unknown_tenant_connector_or_name_is_said_so(instance):
    for arguments in (("nobody", "example"), ("acme", "other"), ("acme", "example", "second")):
        with pytest.raises(InstanceNotFound, match=f"{arguments[0]} has no instance of {arguments[1]}"):
            Instance.objects.find(*arguments)


def test_several_instances_are_told_apart_by_name(instance, tenant, method, provider, clock):
    connecting.connect(tenant, method, name="second", values=VALUES, send=provider, clock=clock)

    with pytest.raises(SeveralInstances, match=r"“” \(no name\), “second”") as several:
        Instance.objects.find("acme", "example")

    assert several.value.names == ("", "second")
    assert Instance.objects.find("acme", "example", "second").name == "second"
    assert Instance.objects.find("acme", "example", "") == instance


def test_nobody_reads_anothers_token(instance, method, provider, clock):
    other = Tenant.objects.create(key="other")
    connecting.connect(other, method, values=VALUES, send=provider, clock=clock)

    assert Instance.objects.find("acme", "example").credentials(clock=clock).access_token == "token-1"
    assert Instance.objects.find("other", "example").credentials(clock=clock).access_token == "token-2"
    with pytest.raises(InstanceNotFound):
        Instance.objects.find("stranger", "example")
