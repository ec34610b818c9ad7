"""A secret changes without an outage: the next one is tried first, and takes over as soon as it works."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from connectors.oauth2.errors import CredentialsRefused, LatchkeyError, ProviderUnavailable, ValidationFailed
from tenants import connecting, next_secret, schedule
from tenants.errors import InstanceNotFound
from tenants.models import Instance, InstanceValues, NextValues, Token, succession
from tenants.together import Wanted, connect_all
from tests.tenants.provider import answer, history, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

OLD, NEW = "s3cret-value", "n3w-secret"


class Keyed:
    """A provider that knows some secrets, and notes which it is shown."""

    def __init__(self, provider, *known):
        self.provider, self.known, self.shown = provider, set(known), []

    def __call__(self, request):
        secret = parse_qs(request.body.decode())["client_secret"][0]
        self.shown.append(secret)
        if secret not in self.known:
            return answer(401, {"error": "invalid_client"})
        return self.provider(request)


@pytest.fixture
def keyed(provider):
    return Keyed(provider, OLD)


@pytest.fixture
def add(instance, keyed, clock):
    def added(**values):
        return next_secret.add(instance, values or {"client_secret": NEW}, send=keyed, clock=clock, sleep=clock.sleep)

    return added


def secret(instance):
    return InstanceValues.objects.get(pk=instance.pk).values["client_secret"]


def messages(instance):
    return [event.message for event in instance.events.all()]


def test_a_next_secret_that_works_takes_over_at_once(instance, keyed, add, clock):
    keyed.known = {NEW}

    add()

    assert keyed.shown == [NEW]
    assert secret(instance) == NEW
    assert not NextValues.objects.exists()
    assert {next_secret.ADDED, succession.WORKS} <= set(messages(instance))
    assert Instance.objects.get().status == Instance.Status.ACTIVE


def test_while_the_provider_does_not_know_it_the_present_one_goes_on(instance, keyed, add, clock):
    add()

    assert keyed.shown == [NEW, OLD]
    assert secret(instance) == OLD
    assert Instance.objects.get().status == Instance.Status.ACTIVE
    assert Token.objects.get().bought.access_token == "token-2"
    assert "invalid_client" in NextValues.objects.get().refusal


def test_each_renewal_tries_the_next_one_first_until_it_works_and_says_so_once(instance, keyed, add, clock):
    add()
    for _ in range(3):
        clock.advance(hours=2)
        schedule.renew_chunk(send=keyed, clock=clock)
    keyed.known = {OLD, NEW}
    clock.advance(hours=2)
    schedule.renew_chunk(send=keyed, clock=clock)
    clock.advance(hours=2)
    schedule.renew_chunk(send=keyed, clock=clock)

    assert keyed.shown == [NEW, OLD] * 4 + [NEW, NEW]
    assert secret(instance) == NEW
    said = [message for message in messages(instance) if message]
    assert len(said) == 3
    assert said[0].startswith("The next secret works.")
    assert said[1].startswith("The provider refuses the next secret; the present one goes on serving.")


def test_a_reader_whose_token_died_gets_one_with_whichever_works(instance, keyed, add, clock):
    add()
    clock.advance(hours=2)
    found = Instance.objects.for_reading().get(pk=instance.pk)

    credentials = found.credentials(send=keyed, clock=clock, sleep=clock.sleep)

    assert credentials.access_token == "token-3"
    assert keyed.shown[-2:] == [NEW, OLD]


def test_when_neither_is_known_a_person_must_act(instance, keyed, add, clock):
    add()
    keyed.known = set()
    clock.advance(hours=2)

    schedule.renew_chunk(send=keyed, clock=clock)

    assert Instance.objects.get().status == Instance.Status.ACTION_REQUIRED
    assert keyed.shown[-2:] == [NEW, OLD]


@pytest.mark.parametrize("error", ["invalid_scope", "invalid_request", "unsupported_grant_type"])
def test_the_present_one_is_not_tried_after_a_refusal_that_is_not_of_the_client(instance, provider, clock, error):
    provider.answers = [answer(400, {"error": error})]

    with pytest.raises(CredentialsRefused):
        next_secret.add(instance, {"client_secret": NEW}, send=provider, clock=clock, sleep=clock.sleep)

    assert len(provider.requests) == 2


def test_codes_that_the_definition_knows_for_wrong_credentials_count_too(tenant, provider, clock):
    method = make_method(token_response={"error": "errcode", "errors": {"credentials": [40125]}})
    instance = connecting.connect(
        tenant, method, values={"client_id": "id", "client_secret": OLD}, send=provider, clock=clock
    )
    provider.answers = [answer(200, {"errcode": 40125})]

    next_secret.add(instance, {"client_secret": NEW}, send=provider, clock=clock, sleep=clock.sleep)

    assert Token.objects.get().bought.access_token == "token-3"


def test_trouble_of_the_endpoint_says_nothing_of_the_next_secret(instance, provider, clock):
    provider.answers = [ProviderUnavailable("No answer.", is_endpoints=True)]

    with pytest.raises(ProviderUnavailable):
        next_secret.add(instance, {"client_secret": NEW}, send=provider, clock=clock, sleep=clock.sleep)

    assert NextValues.objects.get().refused_at is None
    assert secret(instance) == OLD


@pytest.mark.parametrize("is_read", [True, False], ids=["a reader", "the schedule"])
def test_both_secrets_share_one_deadline_which_the_lease_outlives(instance, keyed, add, clock, is_read):
    add()
    seen = []

    def slow(request):
        seen.append(request.spent)
        clock.advance(seconds=20)
        return keyed(request)

    clock.advance(hours=2)
    if is_read:
        instance.credentials(send=slow, clock=clock, sleep=clock.sleep)
    else:
        schedule.renew_chunk(send=slow, clock=clock)

    assert keyed.shown[-2:] == [NEW, OLD]
    assert seen == [0, 20]


def test_nonsense_is_refused_with_nothing_stored(instance, add, keyed):
    for values in ({"client_id": ""}, {"unknown": "x"}):
        with pytest.raises(ValidationFailed):
            add(**values)

    assert not NextValues.objects.exists()
    assert not keyed.shown


def test_a_person_can_take_the_next_one_away_or_retire_the_present_one(instance, add, clock):
    add()
    assert next_secret.drop(instance, clock=clock)
    assert not next_secret.drop(instance, clock=clock)
    assert secret(instance) == OLD

    add()
    assert next_secret.retire_present(instance, clock=clock)
    assert not next_secret.retire_present(instance, clock=clock)
    assert secret(instance) == NEW


def test_reconnecting_forgets_the_next_one(instance, add, provider, clock):
    add()

    connecting.reconnect(
        instance, values={"client_id": "id", "client_secret": "third"}, send=provider, clock=clock, sleep=clock.sleep
    )

    assert not NextValues.objects.exists()
    assert secret(instance) == "third"


def once_shown(keyed, action, clock):
    """A clock: who looks at it first after a secret was shown does something else before."""
    todo = [action]

    def now():
        if keyed.shown and todo:
            todo.pop()()
        return clock()

    return now


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda instance, clock: next_secret.retire_present(instance, clock=clock),
        lambda instance, clock: connecting.pause(instance, clock=clock),
        lambda instance, clock: connecting.remove(Instance.objects.get(), clock=clock),
    ],
    ids=["retired", "paused", "removed"],
)
def test_the_present_one_is_not_shown_after_a_person_stopped_that(instance, keyed, add, clock, meanwhile, is_read):
    add()
    clock.advance(hours=2)
    keyed.shown.clear()
    ticking = once_shown(keyed, lambda: meanwhile(instance, clock), clock)

    if is_read:
        with pytest.raises(LatchkeyError):
            instance.credentials(send=keyed, clock=ticking, sleep=clock.sleep)
    else:
        schedule.renew_chunk(send=keyed, clock=ticking)

    assert keyed.shown == [NEW]


def test_the_present_one_is_shown_after_the_next_was_taken_away(instance, keyed, add, clock):
    add()
    clock.advance(hours=2)
    keyed.shown.clear()

    schedule.renew_chunk(send=keyed, clock=once_shown(keyed, lambda: next_secret.drop(instance, clock=clock), clock))

    assert keyed.shown == [NEW, OLD]
    assert Instance.objects.get().status == "active"


@pytest.fixture
def stale(instance, add, keyed, clock):
    """What a form found in the instance before the next secret took over."""
    held = InstanceValues.objects.get(pk=instance.pk)
    clock.advance(minutes=1)
    add()
    keyed.known = {OLD, NEW}
    connecting.check_now(instance, send=keyed, clock=clock, sleep=clock.sleep)
    assert secret(instance) == NEW
    return held


def test_a_form_that_kept_the_old_secret_does_not_bring_it_back(instance, stale, keyed, clock):
    values = {**stale.values, "scope": "read"}
    since = {key: stale.set_at[key] for key in stale.values}

    connecting.reconnect(instance, values=values, set_at=since, send=keyed, clock=clock, sleep=clock.sleep)

    held = InstanceValues.objects.get(pk=instance.pk)
    assert keyed.shown[-1] == NEW
    assert held.values == {"client_id": "id", "client_secret": NEW, "scope": "read"}
    assert held.set_at["client_secret"] > stale.set_at["client_secret"]


def test_nor_does_a_session(instance, stale, keyed, clock):
    wanted = Wanted(instance.auth_method, stale.values, stale.set_at, instance=instance)

    connect_all(instance.tenant, {"one": wanted}, keep=lambda made: None, send=keyed, clock=clock, sleep=clock.sleep)

    assert (keyed.shown[-1], secret(instance)) == (NEW, NEW)


def test_who_pauses_while_the_next_one_waits_for_its_turn_keeps_the_provider_unasked(instance, keyed, clock):
    renewing = Token.objects.with_methods().get()
    assert renewing.take(clock())

    def sleep(seconds):
        clock.sleep(seconds)
        connecting.pause(Instance.objects.get(), clock=clock)
        renewing.give_back()

    next_secret.add(instance, {"client_secret": NEW}, send=keyed, clock=clock, sleep=sleep)

    assert not keyed.shown
    assert (instance.status, NextValues.objects.count()) == ("paused", 1)


def test_what_is_removed_while_its_next_secret_is_tried_is_said_in_words(instance, keyed, clock):
    def send(request):
        connecting.remove(Instance.objects.get(), clock=clock)
        return keyed(request)

    with pytest.raises(InstanceNotFound):
        next_secret.add(instance, {"client_secret": NEW}, send=send, clock=clock, sleep=clock.sleep)


def test_a_next_secret_comes_after_what_it_waited_for_in_the_history(instance, keyed, clock):
    todo = [lambda: connecting.pause(Instance.objects.get(), clock=clock)]

    def now():
        read = clock()
        if todo:
            clock.advance(seconds=1)
            todo.pop()()
        return read

    next_secret.add(instance, {"client_secret": NEW}, send=keyed, clock=now, sleep=clock.sleep)

    assert history(instance)[:2] == [("changed", "paused", "paused"), ("paused", "active", "paused")]


def test_one_added_by_a_process_that_dies_is_tried_all_the_same(instance, keyed, clock):
    keyed.known = set()
    with pytest.raises(CredentialsRefused):
        connecting.check_now(instance, send=keyed, clock=clock, sleep=clock.sleep)
    keyed.known = {NEW}

    def dies(request):
        raise SystemExit

    with pytest.raises(SystemExit):
        next_secret.add(instance, {"client_secret": NEW}, send=dies, clock=clock, sleep=clock.sleep)
    clock.advance(minutes=1)
    schedule.renew_chunk(send=keyed, clock=clock)

    assert (Instance.objects.get().status, secret(instance)) == ("active", NEW)


def test_an_old_secret_that_is_typed_again_is_taken(instance, stale, keyed, clock):
    connecting.reconnect(instance, values=stale.values, send=keyed, clock=clock, sleep=clock.sleep)

    assert (keyed.shown[-1], secret(instance)) == (OLD, OLD)


def test_one_that_was_exchanged_while_it_was_tried_takes_nothing_over(instance, keyed, add, clock):
    add()
    keyed.known = {NEW}

    def exchanged(request):
        NextValues.objects.update(added_at=clock() + timedelta(seconds=1))
        return keyed(request)

    connecting.check_now(instance, send=exchanged, clock=clock, sleep=clock.sleep)

    assert secret(instance) == OLD
    assert NextValues.objects.exists()


def test_neither_secret_shows(instance, add):
    add()

    following = NextValues.objects.get()
    assert NEW not in f"{following!r} {following}"
    assert not any(NEW in text or OLD in text for text in [following.refusal, *messages(instance)])


def test_a_paused_instance_keeps_it_for_later(instance, add, keyed, clock):
    connecting.pause(instance, clock=clock)

    add()

    assert not keyed.shown
    assert NextValues.objects.exists()
    assert history(instance)[0][0] == "changed"
