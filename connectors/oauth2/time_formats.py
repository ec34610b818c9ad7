"""Formats of `now("…")`: strftime's directives that mean the same on every system and in every locale.

The platform's own strftime is not asked to read a format: it knows other directives on each system, reads `%s` in the
machine's time zone, and stumbles over characters outside its encoding.
"""

import re
from datetime import UTC, datetime

_DIRECTIVE = re.compile(r"%(-?)(.?)", re.DOTALL)
_COMPOSED = {"D": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M", "T": "%H:%M:%S"}
_ALIKE = frozenset("aAbBdfGHIjmMpSuUVwWyY")
_NUMBERS = frozenset("dfGHIjmMSuUVwWyY")


class TimeFormatError(ValueError):
    """A format that can't be read; the message says why."""


def check_time_format(text: str) -> None:
    """Raise `TimeFormatError` for a format that is empty or holds an unknown directive."""
    if not text:
        raise TimeFormatError("its format is empty")
    for match in _DIRECTIVE.finditer(text):
        known = _NUMBERS if match[1] else _ALIKE | frozenset(_COMPOSED) | frozenset("esLzZ%")
        if match[2] not in known or not match[2]:
            raise TimeFormatError(f"“{match[0]}” is no directive of a time")


def format_time(moment: datetime, text: str) -> str:
    """`moment` in UTC as `text` says: strftime's directives, `%L` for milliseconds, `%s` for epoch seconds."""
    utc = moment.astimezone(UTC)
    return _DIRECTIVE.sub(lambda match: _written(utc, match[2], bare=bool(match[1])), text)


def _written(utc: datetime, directive: str, *, bare: bool) -> str:
    if directive in _COMPOSED:
        return format_time(utc, _COMPOSED[directive])
    if directive == "s":
        return str(int(utc.timestamp()))
    if directive == "L":
        return f"{utc.microsecond // 1000:03}"
    if directive == "e":
        return f"{utc.day:2}"
    if directive == "Y":
        return f"{utc.year:04}"  # the C library pads it on some systems only
    written = utc.strftime(f"%{directive}")
    return (written.lstrip("0") or "0") if bare else written
