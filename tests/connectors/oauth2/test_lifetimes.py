from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oauth2.lifetimes import lifetime, moment
from tests.connectors.oauth2.definitions import NOW

LATER = datetime(2026, 3, 6, 14, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.from_regex(r"P?T?[0-9.,:TZPYMWDHS+-]{1,30}"),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=3,
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3600, 3600),
        (299.5, 299.5),
        ("86398", 86398),
        (" 3600 ", 3600),
        ("3600.0", 3600),
        ("1e3", 1000),
        ("01:30:00", 5400),
        ("240:00:00", 864_000),
        ("0:00:30.5", 30),
        ("90m", 5400),
        ("90min", 5400),
        ("24h", 86400),
        ("30 d", 2_592_000),
        ("45s", 45),
        ("1500ms", 1.5),
        ("PT1H", 3600),
        ("PT1H30M15S", 5415),
        ("P1D", 86400),
        ("P1DT12H", 129_600),
        ("P2W", 1_209_600),
        ("P1Y", 31_536_000),
        ("PT0.5H", 1800),
        ("PT0,5H", 1800),
        ("pt90s", 90),
    ],
)
def test_reads_a_lifetime(value, seconds):
    assert lifetime(value, "s") == timedelta(seconds=seconds)


@pytest.mark.parametrize(("unit", "seconds"), [("s", 1800), ("ms", 1.8), ("min", 108_000)])
def test_a_bare_number_has_the_unit(unit, seconds):
    assert lifetime(1800, unit) == lifetime("1800", unit) == timedelta(seconds=seconds)


def test_a_value_with_a_unit_keeps_it():
    assert lifetime("90m", "ms") == lifetime("PT90M", "ms") == lifetime("01:30:00", "ms") == timedelta(minutes=90)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        "0",
        "-1",
        "0s",
        "PT0S",
        "00:00:00",
        "",
        " ",
        "soon",
        "never",
        "P",
        "PT",
        "P1",
        "P1YT",
        "1:2",
        "01:99:00",
        "9" * 30,
        "9" * 5000,
        10**400,
        float("nan"),
        float("inf"),
        -float("inf"),
        "Infinity",
        "NaN",
        "1e999",
        1e-9,
        400_000_000,
        "PT999999999999999S",
        "P999999999999999Y",
        "999999999999999h",
        [3600],
        {"seconds": 3600},
        "٣٦٠٠",
    ],
)
def test_what_is_no_lifetime_counts_as_not_given(value):
    assert lifetime(value, "s") is None


def test_ten_years_are_a_lifetime_and_more_are_not():
    assert lifetime(10 * 365 * 86400, "s") is not None
    assert lifetime(10 * 366 * 86400, "s") is None


@pytest.mark.parametrize(
    "value",
    [
        1772805600,
        1772805600.0,
        "1772805600",
        1772805600000,
        "1772805600000",
        "2026-03-06T14:00:00Z",
        "2026-03-06T14:00:00",
        "2026-03-06 14:00",
        "2026-03-06T14:00:00.0000000Z",
        "2026-03-06T15:00:00+01:00",
        "2026-03-06T09:00:00-0500",
        "20260306T140000Z",
        "2026-03-06t14:00:00z",
    ],
)
def test_reads_an_instant(value):
    assert moment(value, NOW) == LATER


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        "",
        "tomorrow",
        "2026-13-01T00:00:00Z",
        "2026-03-05T14:07:09Z",
        "2025-01-01",
        "2036-04-01",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        1e300,
        float("nan"),
        10**400,
        "9" * 30,
        "\ud800",
        [1772805600],
    ],
)
def test_what_is_no_instant_to_come_counts_as_not_given(value):
    assert moment(value, NOW) is None


@given(JSON, st.sampled_from(["s", "ms", "min"]))
def test_anything_is_a_lifetime_within_ten_years_or_nothing(value, unit):
    life = lifetime(value, unit)

    assert life is None or timedelta() < life <= timedelta(days=3653)


@given(JSON)
def test_anything_is_an_instant_within_ten_years_or_nothing(value):
    at = moment(value, NOW)

    assert at is None or timedelta() < at - NOW <= timedelta(days=3653)
