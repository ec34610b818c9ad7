"""Pruning of the history."""

from datetime import timedelta

import pytest

from tenants import history, tasks
from tenants.models import Event


@pytest.fixture
def lengthy(instance, clock):
    """An instance with three events that are older than ninety days, and two that are not."""
    for days in (100, 95, 91, 89):
        instance.record(Event.Kind.CHECKED, before=instance.status, at=clock() - timedelta(days=days))
    return instance


def test_deletes_what_is_too_old_in_batches(lengthy, clock):
    assert history.prune_events(clock() - timedelta(days=90), batch=2) == (3, True)

    assert lengthy.events.count() == 2


def test_a_statement_for_each_batch_whatever_it_holds(lengthy, clock, django_assert_num_queries):
    with django_assert_num_queries(2):
        history.prune_events(clock() - timedelta(days=90), batch=2)


def test_stops_when_its_time_is_up_and_says_that_there_is_more(lengthy, clock):
    ticks = iter(range(100))

    deleted = history.prune_events(clock() - timedelta(days=90), batch=1, seconds=2, steady=lambda: float(next(ticks)))

    assert deleted == (2, False)
    assert lengthy.events.count() == 3


@pytest.mark.parametrize(("is_done", "tasks_queued"), [(True, 0), (False, 1)])
def test_the_task_goes_on_in_another_while_there_is_more(db, monkeypatch, is_done, tasks_queued):
    queued = []
    monkeypatch.setattr(history, "prune_events", lambda older_than: (1, is_done))
    monkeypatch.setattr(tasks.prune_history, "delay", lambda: queued.append(1))

    tasks.prune_history()

    assert len(queued) == tasks_queued
