"""All machines go by the database's clock: their own may be wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tenants import database_time
from tenants.database_time import MEASURE_EVERY, DatabaseClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Database:
    """A database whose clock is told; it counts how often it is asked."""

    def __init__(self):
        self.now, self.steady, self.asked, self.is_connected = NOON, 1000.0, 0, True

    def ask(self):
        self.asked += 1
        return self.now

    def pass_time(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.steady += seconds


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def clock(database):
    return DatabaseClock(ask=database.ask, is_connected=lambda: database.is_connected, steady=lambda: database.steady)


def test_the_time_is_the_databases_and_costs_one_question_a_minute(clock, database):
    seen = []
    for _ in range(5):
        seen.append(clock() == database.now)
        database.pass_time(MEASURE_EVERY / 4)

    assert all(seen)
    assert database.asked == 1


def test_a_database_whose_clock_was_set_is_believed_within_a_minute(clock, database):
    clock()
    database.now += timedelta(minutes=3)
    database.pass_time(MEASURE_EVERY + 1)

    assert clock() == database.now


def test_a_thread_without_a_connection_opens_none_to_learn_the_time(clock, database):
    clock()
    database.is_connected = False
    database.pass_time(10 * MEASURE_EVERY)

    assert clock() == database.now
    assert database.asked == 1


@pytest.mark.django_db
@pytest.mark.both_databases
def test_a_wrong_clock_on_this_machine_does_not_matter_where_the_database_is_a_server(monkeypatch):
    right = database_time.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: right - timedelta(seconds=60))

    off = (right - database_time.now()).total_seconds()

    # SQLite has no clock but this machine's, which all of its users share.
    assert off < 30 if connection.vendor == "postgresql" else off == 60
