"""Counting token requests against a budget."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.oauth2.budgets import Budget, spend

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def walk(budget, distances):
    """The moments, in seconds, of the requests that were let through."""
    ledger, at, made = [], 0.0, []
    for distance in distances:
        at += distance
        ledger, wait = spend(ledger, budget, NOON + timedelta(seconds=at))
        if not wait:
            made.append(at)
    return made


@given(st.integers(1, 8), st.integers(10, 1000), st.lists(st.floats(0, 200), max_size=60))
def test_no_period_ever_holds_more_requests_than_the_budget(requests, seconds, distances):
    made = walk(Budget(requests, timedelta(seconds=seconds)), distances)

    for first, later in zip(made, made[requests:], strict=False):
        assert later - first >= seconds - 0.001


@settings(max_examples=10)
@given(st.integers(0, 2**32), st.integers(650, 700))
def test_large_budgets_are_counted_in_slices_and_never_exceeded(seed, count):
    # Hundreds of drawn numbers take longer to generate than to test.
    drawn = random.Random(seed)  # noqa: S311 -- not for secrets
    made = walk(Budget(600, timedelta(hours=1)), [drawn.uniform(0, 5) for _ in range(count)])

    for first, later in zip(made, made[600:], strict=False):
        assert later - first >= 3600 - 0.001


def test_waiting_as_long_as_told_is_enough():
    budget = Budget(2, timedelta(minutes=1))
    ledger, _ = spend([], budget, NOON)
    ledger, _ = spend(ledger, budget, NOON + timedelta(seconds=10))

    ledger, wait = spend(ledger, budget, NOON + timedelta(seconds=20))

    assert wait == 40
    assert spend(ledger, budget, NOON + timedelta(seconds=20 + wait))[1] == 0


def test_a_large_budget_is_not_spent_by_who_stays_below_its_pace():
    budget = Budget(1000, timedelta(hours=1))

    made = walk(budget, [4.0] * 3000)  # 900 an hour

    assert len(made) == 3000


def test_who_is_far_beyond_a_lowered_budget_is_told_when_there_is_room_again():
    generous, mean = Budget(5, timedelta(hours=1)), Budget(2, timedelta(hours=1))
    ledger = []
    for minute in range(5):
        ledger, _ = spend(ledger, generous, NOON + timedelta(minutes=minute))

    ledger, wait = spend(ledger, mean, NOON + timedelta(minutes=10))

    assert wait == 53 * 60  # until the fourth of the five is an hour ago
    assert spend(ledger, mean, NOON + timedelta(minutes=10, seconds=wait))[1] == 0


def test_a_budget_for_a_short_time_forgets_nothing_that_one_for_a_long_time_counts():
    short, long = Budget(2, timedelta(minutes=1)), Budget(5, timedelta(days=1))
    ledger = []
    for hour in range(5):
        ledger, _ = spend(ledger, short, NOON + timedelta(hours=hour))

    _, wait = spend(ledger, long, NOON + timedelta(hours=6))

    assert wait == timedelta(hours=18).total_seconds()


def test_a_ledger_stays_small_however_many_requests_are_made():
    budget, ledger, most = Budget(1000, timedelta(seconds=10)), [], 0

    for second in range(5000):
        ledger, _ = spend(ledger, budget, NOON + timedelta(seconds=second))
        most = max(most, len(ledger))

    assert most <= 1001
    assert sum(count for _, count in ledger) == 5000
