"""How long a token lives, as token endpoints write it."""

import math
import re
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from connectors.oauth2.definition import TEN_YEARS

UNITS = {"s": 1.0, "ms": 0.001, "min": 60.0}
# Epoch seconds reach this in the year 5138, epoch milliseconds in 1973: no expiry of either kind is mistaken.
_MILLISECONDS_FROM = 1e11
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{0,30})?(?:[eE][+-]?[0-9]{1,3})?")
_CLOCK = re.compile(r"([0-9]{1,6}):([0-5]?[0-9]):([0-5]?[0-9])(?:\.[0-9]{1,9})?")
_SUFFIXED = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(ms|s|m|min|h|d)", re.IGNORECASE)
_SUFFIXES = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_AMOUNT = r"([0-9]{1,15}(?:[.,][0-9]{1,9})?)"
_ISO_DURATION = re.compile(
    rf"P(?=.*[0-9])(?:{_AMOUNT}Y)?(?:{_AMOUNT}M)?(?:{_AMOUNT}W)?(?:{_AMOUNT}D)?"
    rf"(?:T(?=.*[0-9])(?:{_AMOUNT}H)?(?:{_AMOUNT}M)?(?:{_AMOUNT}S)?)?",
    re.IGNORECASE,
)
# A year and a month, in days, as good as one can say without a calendar.
_ISO_SECONDS = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)


def lifetime(value: JsonValue, unit: str) -> timedelta | None:
    """A lifetime: a number (in `unit`), one in a string, `HH:MM:SS`, `90m` or an ISO 8601 duration.

    None for what is absent, unreadable, not above zero, or over ten years.
    """
    seconds = _seconds(value, unit)
    if seconds is None or not math.isfinite(seconds) or not 0 < seconds <= TEN_YEARS:
        return None
    return timedelta(seconds=seconds) or None


def _seconds(value: JsonValue, unit: str) -> float | None:
    number = _number(value)
    if number is not None:
        return number * UNITS[unit]
    if not isinstance(value, str):
        return None
    text = value.strip()
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    if suffixed := _SUFFIXED.fullmatch(text):
        return float(suffixed[1]) * _SUFFIXES[suffixed[2].lower()]
    if duration := _ISO_DURATION.fullmatch(text):
        amounts = [float((amount or "0").replace(",", ".")) for amount in duration.groups()]
        return sum(amount * seconds for amount, seconds in zip(amounts, _ISO_SECONDS, strict=True))
    return None


def _number(value: JsonValue) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return float(value)
    except OverflowError:
        return None
    return None


def moment(value: JsonValue, now: datetime) -> datetime | None:
    """An instant: epoch seconds, epoch milliseconds or ISO 8601 (without an offset: UTC).

    None for what is absent, unreadable, not after `now`, or over ten years away.
    """
    number = _number(value)
    if number is not None:
        return _within(_from_epoch(number), now)
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip().upper())  # "t" and "z" too (RFC 3339 section 5.6)
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return _within(read, now)


def _from_epoch(number: float) -> datetime | None:
    if not math.isfinite(number):
        return None
    try:
        return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _within(read: datetime | None, now: datetime) -> datetime | None:
    return read if read is not None and timedelta() < read - now <= timedelta(seconds=TEN_YEARS) else None
