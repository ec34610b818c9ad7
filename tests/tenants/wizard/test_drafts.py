"""Drafts: tried once however often that is asked for, kept on failure, gone when done."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from connectors.models import AuthMethod
from connectors.oauth2.errors import CredentialsRefused, ValidationFailed
from tenants import drafts
from tenants.errors import NameTaken
from tenants.models import Draft, Instance, Tenant
from tests.tenants.wizard.rows import NOW, SECRET, add_variable, make_instance

FILLED = {"client_id": "the-client", "client_secret": SECRET}


class Connect:
    """Stands where an exchange would be made; remembers what it was given."""

    def __init__(self, instance: Instance | None = None, error: Exception | None = None) -> None:
        self.instance, self.error = instance, error
        self.calls: list[dict] = []

    def __call__(self, *things: object, **given: object) -> Instance:
        self.calls.append({"things": things, **given})
        if self.error:
            raise self.error
        assert self.instance
        return self.instance


@pytest.fixture
def ready(draft: Draft) -> Draft:
    drafts.submit(draft, FILLED)
    return draft


def _clock(now: datetime):
    return lambda: now


def test_what_will_do_is_ready_to_be_tried(draft: Draft) -> None:
    drafts.submit(draft, FILLED)

    assert draft.state == Draft.State.CONNECTING
    assert draft.problem is None
    assert drafts.is_claimable(draft, NOW)


def test_what_is_missing_is_said_and_what_was_typed_is_kept(draft: Draft) -> None:
    drafts.submit(draft, {"client_id": None, "client_secret": "typed"})

    draft.refresh_from_db()
    assert draft.state == Draft.State.OPEN
    assert draft.problem
    assert draft.problem["fields"] == {"client_id": "This value is required."}
    assert draft.values == {"client_secret": "typed"}


def test_missing_and_wrong_values_are_named_together(draft: Draft) -> None:
    add_variable(draft.auth_method, "account", pattern="[0-9]+")
    draft.auth_method.refresh_from_db()

    drafts.submit(draft, {"client_id": None, "account": "letters"})

    assert draft.problem
    assert set(draft.problem["fields"]) == {"client_id", "account"}


def test_a_value_that_did_not_change_keeps_the_moment_it_was_set(draft: Draft) -> None:
    before = draft.set_at["client_secret"]

    drafts.submit(draft, {"client_secret": SECRET, "client_id": "another"}, clock=_clock(NOW + timedelta(hours=1)))

    assert draft.set_at["client_secret"] == before
    assert draft.set_at["client_id"] == (NOW + timedelta(hours=1)).isoformat()


def test_a_value_that_the_definition_no_longer_knows_is_dropped(draft: Draft) -> None:
    draft.values["gone"] = "value"

    drafts.submit(draft, {})

    assert "gone" not in draft.values


def test_a_name_that_is_taken_is_refused_before_anybody_is_asked(draft: Draft, instance: Instance) -> None:
    drafts.submit(draft, FILLED, name="")

    assert draft.state == Draft.State.OPEN
    assert draft.problem
    assert draft.problem["name"]
    assert draft.problem
    assert draft.problem["fields"] == {}


def test_of_two_tabs_one_makes_the_exchange(ready: Draft, instance: Instance) -> None:
    connect = Connect(instance)
    inside = Connect(instance)

    def meanwhile(*things: object, **given: object) -> Instance:
        drafts.run(Draft.objects.get(pk=ready.pk), connect=inside)
        return connect(*things, **given)

    drafts.run(ready, connect=meanwhile)
    drafts.run(ready, connect=inside)

    assert (len(connect.calls), len(inside.calls)) == (1, 0)


def test_what_failed_is_not_tried_again_until_it_is_sent_again(ready: Draft) -> None:
    connect = Connect(error=CredentialsRefused("Refused.", "Wrong secret.", "Copy it again."))

    drafts.run(ready, connect=connect)
    drafts.run(ready, connect=connect)

    assert len(connect.calls) == 1
    drafts.submit(ready, {})
    drafts.run(ready, connect=connect)
    assert len(connect.calls) == 2


def test_a_failure_is_kept_in_words_with_all_that_was_typed(ready: Draft) -> None:
    error = ValidationFailed("Bad host.", "Why.", "Do.", fields={"client_id": "This."})

    drafts.run(ready, connect=Connect(error=error))

    ready.refresh_from_db()
    assert ready.state == Draft.State.FAILED
    assert ready.problem
    assert ready.problem["fields"] == {"client_id": "This."}
    assert ready.values == FILLED
    assert ready.problem
    assert ready.problem["what"] == "Bad host."


def test_a_name_that_was_taken_meanwhile_is_said_beside_the_name(ready: Draft) -> None:
    drafts.run(ready, connect=Connect(error=NameTaken("The name is taken.")))

    assert ready.problem
    assert ready.problem["name"] == "The name is taken."


def test_a_fault_of_ours_is_told_without_its_words(ready: Draft, caplog: pytest.LogCaptureFixture) -> None:
    drafts.run(ready, connect=Connect(error=RuntimeError("inner workings")))

    ready.refresh_from_db()
    assert ready.state == Draft.State.FAILED
    assert "inner workings" not in str(ready.problem)
    assert str(ready.pk) in caplog.text


def test_once_connected_the_draft_holds_no_values(ready: Draft, instance: Instance) -> None:
    drafts.run(ready, connect=Connect(instance))

    ready.refresh_from_db()
    assert ready.state == Draft.State.CONNECTED
    assert ready.instance == instance
    assert (ready.values, ready.set_at) == ({}, {})


def test_a_draft_whose_process_was_killed_is_tried_again_after_the_deadline(ready: Draft, instance: Instance) -> None:
    started = timezone.now()
    Draft.objects.filter(pk=ready.pk).update(started_at=started)
    over = started + drafts.patience(reconnects=False)
    connect = Connect(instance)

    drafts.run(ready, connect=connect, clock=_clock(over))
    assert connect.calls == []
    drafts.run(ready, connect=connect, clock=_clock(over + timedelta(seconds=1)))

    assert len(connect.calls) == 1


def test_a_reconnect_may_wait_for_a_renewal_before_it_is_taken_for_dead(ready: Draft, instance: Instance) -> None:
    started = timezone.now()
    Draft.objects.filter(pk=ready.pk).update(started_at=started, instance=instance)
    ready.refresh_from_db()
    reconnect = Connect(instance)

    for reconnects in (False, True):
        over = started + drafts.patience(reconnects=reconnects) + timedelta(seconds=1)
        assert drafts.is_claimable(ready, over) is reconnects
        drafts.run(ready, reconnect=reconnect, clock=_clock(over))

    assert len(reconnect.calls) == 1


def test_a_slow_loser_does_not_overwrite_what_the_draft_became(ready: Draft, instance: Instance) -> None:
    def late(*things: object, **given: object) -> Instance:
        Draft.objects.filter(pk=ready.pk).update(started_at=NOW + timedelta(hours=1))
        raise CredentialsRefused("Refused.")

    drafts.run(ready, connect=late, clock=_clock(NOW))

    ready.refresh_from_db()
    assert (ready.state, ready.problem) == (Draft.State.CONNECTING, None)


def test_nothing_can_be_changed_while_it_is_tried(ready: Draft) -> None:
    Draft.objects.filter(pk=ready.pk).update(started_at=timezone.now())

    drafts.submit(ready, {"client_id": "another"})

    ready.refresh_from_db()
    assert ready.values["client_id"] == "the-client"
    assert not drafts.cancel(ready)


def test_cancelling_deletes_what_was_typed(ready: Draft) -> None:
    assert drafts.cancel(ready)
    assert not Draft.objects.exists()


def test_a_form_sent_twice_fills_in_one_draft(acme: Tenant, owner: User, method: AuthMethod) -> None:
    pk = uuid4()

    first = drafts.begin(acme, owner, method, pk=pk)
    second = drafts.begin(acme, owner, method, pk=pk)

    assert first == second
    assert Draft.objects.count() == 1


def test_reconnecting_starts_with_the_instances_values(acme: Tenant, owner: User, method: AuthMethod) -> None:
    instance = make_instance(acme, method)
    draft = drafts.begin(acme, owner, method, pk=uuid4(), instance=instance)
    reconnect = Connect(instance)

    drafts.submit(draft, {"client_id": "another"})
    drafts.run(draft, reconnect=reconnect)

    (call,) = reconnect.calls
    assert call["things"] == (instance,)
    assert call["values"] == {"client_id": "another", "client_secret": SECRET}
    assert call["actor"] == owner


def test_prunes_what_nobody_touched_for_a_day(draft: Draft) -> None:
    Draft.objects.filter(pk=draft.pk).update(updated_at=NOW)

    assert drafts.prune(NOW + timedelta(hours=23)) == 0
    assert drafts.prune(NOW + timedelta(hours=25)) == 1


def test_a_draft_is_encrypted_where_it_is_stored(draft: Draft) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tenants_draft")
        (row,) = cursor.fetchall()

    assert SECRET not in str([bytes(one) if isinstance(one, memoryview) else one for one in row])
