from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oauth2.time_formats import TimeFormatError, check_time_format, format_time

MOMENT = datetime(2026, 1, 5, 3, 4, 5, 67_089, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y-%m-%dT%H:%M:%S.%LZ", "2026-01-05T03:04:05.067Z"),
        ("%f", "067089"),
        ("%s", "1767582245"),
        ("%y %j %e", "26 005  5"),
        ("%-d.%-m.%Y %-H:%M", "5.1.2026 3:04"),
        ("%a %A %b %B %p %I", "Mon Monday Jan January AM 03"),
        ("%G-W%V-%u %w %U", "2026-W02-1 1 01"),
        ("%F %T %R %D", "2026-01-05 03:04:05 03:04 01/05/26"),
        ("%z %Z", "+0000 UTC"),
        ("100%%", "100%"),
        ("Jahr für %Y - \ud83d", "Jahr für 2026 - \ud83d"),
    ],
)
def test_writes_a_moment(form, text):
    check_time_format(form)

    assert format_time(MOMENT, form) == text


def test_writes_utc_whatever_the_moment_s_own_zone():
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=9)))

    assert format_time(elsewhere, "%F %T %s") == format_time(MOMENT, "%F %T %s")


@pytest.mark.parametrize("form", ["", "%", "100%", "%Q", "%c", "%x", "%E", "%-a", "%-", "%\n", "%é", "%:z", "%3f"])
def test_refuses_what_means_something_else_elsewhere(form):
    with pytest.raises(TimeFormatError):
        check_time_format(form)


@given(st.text(st.characters() | st.sampled_from("%YmdHs-")), st.datetimes(timezones=st.just(UTC)))
def test_what_is_accepted_can_be_written(form, moment):
    try:
        check_time_format(form)
    except TimeFormatError:
        return

    assert isinstance(format_time(moment, form), str)
