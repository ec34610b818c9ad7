"""When a token is asked for again, whatever its life, the provider's wishes and chance."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oauth2.errors import (
    CredentialsRefused,
    MintBudgetSpent,
    ProviderUnavailable,
    ResponseNotUnderstood,
    ValidationFailed,
)
from tenants import renewal
from tenants.renewal import Life

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=10)

lengths = st.floats(0.001, 10 * 365 * 86400).map(lambda seconds: timedelta(seconds=seconds))
shares = st.floats(0, 1)
earlies = st.integers(0, 400_000_000)
ages = st.floats(-0.5, 2)


def life(length):
    return Life(NOW, NOW + length)


@given(lengths, earlies, shares)
def test_a_token_is_renewed_between_half_and_four_fifths_of_its_life(length, early, share):
    at = renewal.refresh_at(life(length), early=early, share=share)

    assert NOW + length * 0.5 - INSTANT <= at <= NOW + length * 0.8 + INSTANT


@given(lengths, earlies, shares)
def test_the_definitions_earliness_is_honoured_as_far_as_half_the_life_allows(length, early, share):
    at = renewal.refresh_at(life(length), early=early, share=share)

    assert at <= max(NOW + length - timedelta(seconds=early), NOW + length * 0.5) + INSTANT


@given(lengths, earlies)
def test_chance_spreads_renewals_over_a_tenth_of_the_life_at_most(length, early):
    latest = renewal.refresh_at(life(length), early=early, share=0)
    earliest = renewal.refresh_at(life(length), early=early, share=1)

    assert timedelta() <= latest - earliest <= length * 0.1 + INSTANT


def test_chance_does_spread_renewals():
    one, other = (renewal.refresh_at(life(timedelta(hours=1)), early=0, share=share) for share in (0, 1))

    assert (one, other) == (NOW + timedelta(minutes=48), NOW + timedelta(minutes=42))


@given(lengths, earlies, shares)
def test_the_same_token_handed_back_is_left_alone_until_it_dies(length, early, share):
    assert renewal.refresh_at(life(length), early=early, share=share, is_same_token=True) == NOW + length


def test_a_token_without_expiry_is_never_due():
    assert renewal.refresh_at(Life(NOW, None), early=300, share=0.5) is None


@given(st.integers(1, 10_000), shares)
def test_waiting_grows_with_failures_up_to_a_quarter_of_an_hour(failures, share):
    waits = [wait(ProviderUnavailable("?"), count, share) for count in (failures, failures + 1)]

    assert timedelta(seconds=3.75) <= waits[0] <= waits[1] <= renewal.BACKOFF_MOST * 1.25


@given(st.integers(1, 7), shares, shares)
def test_until_then_chance_never_makes_a_later_wait_shorter(failures, share, other):
    assert wait(ProviderUnavailable("?"), failures, share) < wait(ProviderUnavailable("?"), failures + 1, other)


@given(st.floats(0, 86_400), st.integers(1, 10_000), shares)
def test_the_providers_wish_is_the_least(wish, failures, share):
    for error in (ProviderUnavailable("?", retry_after=wish), MintBudgetSpent("?", retry_after=wish)):
        assert wait(error, failures, share) >= timedelta(seconds=wish)


def test_what_only_a_person_can_mend_is_not_tried_again():
    for error in (CredentialsRefused("?"), ValidationFailed("?")):
        assert renewal.retry_at(error, failures=1, now=NOW, share=0.5) is None


def test_an_answer_that_is_not_understood_is_tried_again():
    assert wait(ResponseNotUnderstood("?"), 1, 0.5) == renewal.BACKOFF_FIRST


@given(lengths, ages, st.floats(0, 10 * 365 * 86400))
def test_a_reader_gets_the_seconds_that_were_asked_for_or_nothing(length, age, min_ttl):
    now = NOW + length * age
    left = (NOW + length - now).total_seconds()

    assert life(length).will_do(now, min_ttl) == (left > 0 and left >= min_ttl)


@given(lengths, ages)
def test_by_default_a_reader_gets_half_a_minute_or_half_the_life(length, age):
    now = NOW + length * age
    left = (NOW + length - now).total_seconds()

    assert life(length).will_do(now, None) == (left > 0 and left >= min(30, length.total_seconds() / 2))


@given(lengths)
def test_a_new_token_always_will_do(length):
    assert life(length).will_do(NOW, None)


@pytest.mark.parametrize("min_ttl", [None, 0, 0.5, 3600, 10 * 365 * 86400])
def test_such_a_time_can_be_asked_for(min_ttl):
    renewal.check_min_ttl(min_ttl)


@pytest.mark.parametrize(
    "min_ttl",
    [-1, float("nan"), float("inf"), float("-inf"), 1e300, pytest.param(10**5000, id="digits"), "120", "", [30]],
)
def test_a_time_that_no_token_can_have_is_refused_in_words(min_ttl):
    with pytest.raises(ValidationFailed, match="must be a number of seconds from 0 to") as refused:
        renewal.check_min_ttl(min_ttl)

    assert "min_ttl" in refused.value.fields


def wait(error, failures, share):
    return renewal.retry_at(error, failures=failures, now=NOW, share=share) - NOW
