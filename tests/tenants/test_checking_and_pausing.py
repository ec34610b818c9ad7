"""Checks, pauses and resumptions."""

import pytest

from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable
from tenants import connecting, schedule
from tenants.models import Event, Instance, Token
from tests.tenants.provider import answer, history, in_the_middle, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
NEW_VALUES = {"client_id": "id", "client_secret": "another-value"}


def test_a_pending_instance_is_connected_by_a_check(tenant, method, provider, clock, actor):
    instance = connecting.add_pending(tenant, method, values=VALUES, clock=clock)
    assert instance.status == Instance.Status.PENDING

    connecting.check_now(instance, actor=actor, send=provider, clock=clock)

    assert instance.status == Instance.Status.ACTIVE
    assert history(instance) == [("checked", "active", "active"), ("connected", "pending", "active")]


def test_a_pending_instance_whose_check_fails_goes_on_by_itself(tenant, method, provider, clock):
    instance = connecting.add_pending(tenant, method, values=VALUES, clock=clock)
    provider.answers = [answer(503, {})]
    with pytest.raises(ProviderUnavailable):
        connecting.check_now(instance, send=provider, clock=clock)
    clock.advance(minutes=1)

    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1
    assert history(instance) == [("recovered", "failing", "active"), ("failing", "pending", "failing")]


@pytest.fixture
def tested(tenant, provider, clock):
    """An instance whose method has a test request, and whose new tokens kill the old ones."""
    method = make_method(
        test_request={"url": "{{base_url}}/me"}, refresh={"invalidates_previous": True, "on_status": [401]}
    )
    instance = connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)
    provider.requests.clear()
    return instance


def asked(provider):
    return [request.url.rpartition("/")[2] for request in provider.requests]


def test_where_a_new_token_kills_the_old_one_a_check_only_tries_it(tested, provider, clock):
    connecting.check_now(tested, send=provider, clock=clock)

    assert asked(provider) == ["me"]
    assert history(tested)[0] == ("checked", "active", "active")


def test_such_a_check_replaces_a_token_that_the_api_turns_down(tested, provider, clock):
    provider.answers = [answer(401, {}), provider.token("token-9"), answer(200, {})]

    connecting.check_now(tested, send=provider, clock=clock)

    assert asked(provider) == ["me", "token", "me"]
    assert Token.objects.get().bought.access_token == "token-9"


def test_such_a_check_replaces_a_token_that_the_api_turns_down_in_its_body(tenant, provider, clock):
    method = make_method(
        test_request={"url": "{{base_url}}/me"}, refresh={"invalidates_previous": True, "on_body": {"errcode": [40001]}}
    )
    instance = connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)
    provider.requests.clear()
    provider.answers = [answer(200, {"errcode": 40001}), provider.token("token-9"), answer(200, {"errcode": 0})]

    connecting.check_now(instance, send=provider, clock=clock)

    assert asked(provider) == ["me", "token", "me"]


def test_such_a_check_buys_no_second_token_where_a_reader_was_quicker(tested, provider, clock):
    def a_reader_hears_it_too():
        found = Instance.objects.get(pk=tested.pk)
        found.report_rejected(found.credentials(clock=clock).access_token, clock=clock)
        found.credentials(send=provider, clock=clock, sleep=clock.sleep)

    provider.answers = [provider.token("token-9"), answer(401, {}), answer(200, {})]

    connecting.check_now(tested, send=in_the_middle(provider, a_reader_hears_it_too), clock=clock, sleep=clock.sleep)

    assert asked(provider) == ["token", "me", "me"]
    assert Token.objects.get().bought.access_token == "token-9"


def test_such_a_check_replaces_a_dead_token(tested, provider, clock):
    clock.advance(hours=2)

    connecting.check_now(tested, send=provider, clock=clock)

    assert asked(provider) == ["token", "me"]


def test_a_check_that_the_api_fails_is_recorded_and_keeps_the_token(tested, provider, clock):
    provider.answers = [answer(403, {})]

    with pytest.raises(CredentialsRefused, match="403"):
        connecting.check_now(tested, send=provider, clock=clock)

    event = tested.events.first()
    assert (event.kind, event.code) == (Event.Kind.CHECKED, "credentials_refused")
    assert "403" in event.message
    assert Instance.objects.get().status == Instance.Status.ACTIVE
    assert asked(provider) == ["me"]


def test_a_fault_of_ours_during_a_check_leaves_no_lease(instance, provider, clock):
    def broken(request):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        connecting.check_now(instance, send=broken, clock=clock)

    assert Token.objects.get().lease_owner is None


def test_a_resumed_instance_keeps_a_living_token_and_its_plan(instance, provider, clock):
    connecting.pause(instance, clock=clock)
    clock.advance(minutes=5)
    connecting.resume(instance, clock=clock)

    token = Token.objects.get()
    assert instance.status == Instance.Status.ACTIVE
    assert clock() < token.refresh_at < token.expires_at
    assert history(instance)[:2] == [("resumed", "paused", "active"), ("paused", "active", "paused")]


def test_a_pending_instance_is_pending_again_when_resumed(tenant, method, clock):
    instance = connecting.add_pending(tenant, method, values=VALUES, clock=clock)
    connecting.pause(instance, clock=clock)
    connecting.resume(instance, clock=clock)

    assert instance.status == Instance.Status.PENDING
    assert Token.objects.get().refresh_at is None


def test_pausing_or_resuming_twice_is_recorded_once(instance, clock):
    for act in (connecting.pause, connecting.pause, connecting.resume, connecting.resume):
        act(instance, clock=clock)

    assert [kind for kind, _, _ in history(instance)] == ["resumed", "paused", "connected"]


def test_a_resumed_instance_that_was_set_aside_is_tried_again(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [answer(401, {"error": "invalid_client"})]
    schedule.renew_chunk(send=provider, clock=clock)
    connecting.pause(instance, clock=clock)

    connecting.resume(instance, clock=clock)

    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1


def test_who_failed_before_ever_having_a_token_is_tried_again_when_resumed(tenant, method, provider, clock):
    instance = connecting.add_pending(tenant, method, values=VALUES, clock=clock)
    provider.answers = [answer(503, {})]
    with pytest.raises(ProviderUnavailable):
        connecting.check_now(instance, send=provider, clock=clock)
    connecting.pause(instance, clock=clock)

    connecting.resume(instance, clock=clock)

    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1
    assert Instance.objects.get().status == Instance.Status.ACTIVE
