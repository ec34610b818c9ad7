"""Batches: what is due is claimed and renewed together, and one instance's trouble is its own."""

import threading
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from connectors.models import AuthMethod
from tenants import connecting, schedule
from tenants.models import Instance, Token
from tenants.models.claimed import held_by
from tenants.models.lease import lease_length
from tenants.models.outcome import write_back
from tests.tenants.provider import answer, history, in_the_middle, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


@pytest.fixture
def three(instance, tenant, provider, clock):
    """Three instances whose tokens have run out."""
    for key in ("second", "third"):
        connecting.connect(tenant, make_method(key), values=VALUES, send=provider, clock=clock)
    clock.advance(hours=2)


def test_a_batch_renews_all_that_is_due(three, provider, clock):
    assert schedule.chunks_due(clock) == 1

    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert (tally.claimed, tally.renewed, tally.failed, tally.lost) == (3, 3, 0, 0)
    assert schedule.chunks_due(clock) == 0
    assert not Token.objects.exclude(lease_owner=None).exists()


def test_a_definition_that_is_broken_meanwhile_spoils_no_other_renewal(three, provider, clock, caplog):
    AuthMethod.objects.filter(connector__key="second").update(token_request={"url": 17}, revision=uuid4())

    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert (tally.claimed, tally.renewed, tally.failed) == (3, 2, 1)
    assert Instance.objects.get(connector__key="second").status == Instance.Status.FAILING
    assert "s3cret-value" not in caplog.text


def test_a_fault_of_ours_spoils_no_other_renewal_and_quotes_nothing(three, provider, clock, caplog):
    def broken():
        raise RuntimeError("s3cret-value")

    tally = schedule.renew_chunk(send=in_the_middle(provider, broken), clock=clock, at_once=1)

    assert (tally.renewed, tally.failed) == (2, 1)
    assert "RuntimeError" in caplog.text
    assert "s3cret-value" not in caplog.text


def test_what_is_removed_during_a_batch_spoils_no_other_renewal(three, provider, clock, monkeypatch):
    def removed_before(outcomes, **kwargs):
        Instance.objects.filter(connector__key="second").delete()
        return write_back(outcomes, **kwargs)

    monkeypatch.setattr(schedule, "write_back", removed_before)

    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert (tally.claimed, tally.renewed, tally.lost) == (3, 2, 1)


def test_a_result_that_cannot_be_stored_spoils_no_other_and_is_tried_again(three, provider, clock, monkeypatch):
    at_fault = Instance.objects.get(connector__key="second").pk
    todo = ["together", "alone"]

    def failing(outcomes, **kwargs):
        if todo and any(outcome.instance.pk == at_fault for outcome in outcomes):
            raise OperationalError(todo.pop())
        return write_back(outcomes, **kwargs)

    monkeypatch.setattr(schedule, "write_back", failing)

    first = schedule.renew_chunk(send=provider, clock=clock)
    clock.now += lease_length()
    second = schedule.renew_chunk(send=provider, clock=clock)

    assert (first.renewed, first.lost) == (2, 1)
    assert second.renewed == 1


def test_what_the_database_refuses_spoils_no_other_renewal(three, provider, clock, caplog):
    at_fault = Token.objects.get(instance__connector__key="second").pk
    kept = Token.kept

    def spoilt(token, grant, **more):
        outcome = kept(token, grant, **more)
        if token.pk == at_fault:
            outcome.columns["failures"] = None
        return outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Token, "kept", spoilt)
        first = schedule.renew_chunk(send=provider, clock=clock)
    clock.now += lease_length()
    second = schedule.renew_chunk(send=provider, clock=clock)

    assert (first.renewed, first.lost) == (2, 1)
    assert second.renewed == 1


def test_a_batch_is_written_back_in_a_handful_of_statements(instance, tenant, provider, clock, method):
    for number in range(20):
        connecting.connect(tenant, method, name=f"no. {number}", values=VALUES, send=provider, clock=clock)
    clock.advance(hours=2)

    with CaptureQueriesContext(connection) as queries:
        tally = schedule.renew_chunk(send=provider, clock=clock)

    assert tally.renewed == 21
    updates = [query for query in queries if query["sql"].startswith("UPDATE") and "renewed_at" in query["sql"]]
    # SQLite, in the same process, is handed them one by one.
    assert len(updates) == (1 if connection.vendor == "postgresql" else 21)
    assert len(queries) - len(updates) <= 11, [query["sql"][:60] for query in queries]


def test_leases_last_as_long_as_the_batch_can_take_and_no_longer(three, provider, clock):
    seen = []

    def look():
        seen.extend(Token.objects.values_list("lease_until", flat=True))

    # The caller's thread alone may use the database: the look is taken before the first thread begins.
    claim = Token.claim_due

    def claimed(*args, **kwargs):
        found = claim(*args, **kwargs)
        look()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Token, "claim_due", claimed)
        schedule.renew_chunk(send=provider, clock=clock, at_once=2)

    assert seen == [clock() + lease_length(exchanges=2)] * 3


@pytest.mark.parametrize("act", [connecting.pause, connecting.remove])
def test_what_is_paused_or_removed_while_it_waits_for_its_turn_is_not_asked_for(
    three, provider, clock, monkeypatch, act
):
    monkeypatch.setattr(schedule, "LOOK_EVERY", 0.0)
    provider.requests.clear()
    todo = list(Instance.objects.order_by("token__refresh_at")[1:])

    def now():
        while provider.requests and todo:
            act(todo.pop(), clock=clock)
        return clock()

    tally = schedule.renew_chunk(send=provider, clock=now, at_once=1)

    assert (len(provider.requests), tally.renewed, tally.spared) == (1, 1, 2)
    assert not Token.objects.exclude(lease_owner=None).exists()


def test_what_is_paused_as_soon_as_it_is_claimed_is_not_asked_for(three, provider, clock, monkeypatch):
    def claimed_and_read(owner):
        connecting.pause(Instance.objects.get(connector__key="second"), clock=clock)
        return held_by(owner)

    monkeypatch.setattr(schedule, "held_by", claimed_and_read)

    tally = schedule.renew_chunk(send=provider, clock=clock)

    assert (tally.renewed, tally.spared) == (2, 1)
    assert not Token.objects.exclude(lease_owner=None).exists()


def test_what_people_do_while_a_result_waits_to_be_written_comes_before_it(instance, provider, clock, monkeypatch):
    clock.advance(hours=2)
    provider.answers = [answer(401, {"error": "invalid_client"})]
    written = schedule.Batch.write

    def writes_late(batch):
        if batch._outcomes:
            for act in (connecting.pause, connecting.resume):
                clock.advance(seconds=1)
                act(Instance.objects.get(), clock=clock)
        written(batch)

    monkeypatch.setattr(schedule.Batch, "write", writes_late)

    schedule.renew_chunk(send=provider, clock=clock)

    assert [after for _, _, after in history(instance)][:3] == ["action_required", "active", "paused"]
    assert Instance.objects.get().status == "action_required"


def test_a_refusal_of_what_a_definition_no_longer_says_is_asked_about_again(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [answer(401, {"error": "invalid_client"})]
    todo = [lambda: AuthMethod.objects.update(token_request={"url": "https://new.example.com/"}, revision=uuid4())]

    def now():
        if provider.requests[1:] and todo:
            todo.pop()()
        return clock()

    schedule.renew_chunk(send=provider, clock=now)
    assert Instance.objects.get().status == Instance.Status.FAILING

    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1
    assert provider.requests[-1].url == "https://new.example.com/"


def test_waits_grow_with_each_failure_in_a_row_and_begin_anew_after_a_success(instance, provider, clock):
    clock.advance(minutes=48)
    seen = []
    for status in (503, 503, 503, 200, 503):
        token = Token.objects.get()
        clock.now = max(clock.now, token.refresh_at)
        provider.answers = [] if status == 200 else [answer(status, {})]
        schedule.renew_chunk(send=provider, clock=clock)
        seen.append(Token.objects.get().failures)

    assert seen == [1, 2, 3, 0, 1]
    assert [kind for kind, _, _ in history(instance)] == ["failing", "recovered", "failing", "connected"]


def test_what_is_being_renewed_is_not_due(three, provider, clock):
    for token in Token.objects.all():
        assert token.take(clock())

    assert schedule.chunks_due(clock) == 0
    assert schedule.renew_chunk(send=provider, clock=clock).claimed == 0


def test_nothing_due_costs_two_small_queries(instance, provider, clock, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert schedule.renew_chunk(send=provider, clock=clock).claimed == 0


@pytest.mark.django_db(transaction=True)
def test_pausing_and_renewing_at_once_never_wait_for_each_other(instance, provider):
    """Two transactions that lock the same rows in another order would be ended by PostgreSQL."""
    troubles, done = [], threading.Event()

    def pause_and_resume():
        try:
            for _ in range(40):
                connecting.pause(Instance.objects.get())
                connecting.resume(Instance.objects.get())
        except Exception as error:
            troubles.append(error)
        finally:
            done.set()
            connection.close()

    person = threading.Thread(target=pause_and_resume)
    person.start()
    while not done.is_set():
        connecting.check_now(Instance.objects.get(), send=provider)
    person.join()

    assert troubles == []
    assert Instance.objects.get().status == Instance.Status.ACTIVE
