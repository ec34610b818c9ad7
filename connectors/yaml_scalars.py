"""What an unquoted word means in YAML 1.2 (core schema, chapter 10.3), and which words are better quoted.

`no`, `on`, `12:30` and `2022-06-28` are texts there, unlike in YAML 1.1; what changes by being read as a number, such
as `0755` or `1.10`, is refused rather than guessed at.
"""

import math
import re

PlainValue = str | int | float | bool | None

_NULL = re.compile(r"(?:null|Null|NULL|~)?")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# Texts here, but other readers of the same file (YAML 1.1) take them for truth values, numbers, times or merge keys.
_MISREAD = re.compile(
    r"(?i:y|n|yes|no|on|off)|[-+]?[0-9][0-9_,]*(?::[0-9_.]+)+|[-+]?[0-9.][0-9_,.]*(?:e[-+]?[0-9]+)?|0b[01_]+|0o.*|0x.*"
    r"|\d{4}-\d\d?-\d\d?.*|<<|="
)
_LONGEST_NUMBER = 300
_EXACT = 1e15  # below it a float holds every whole number exactly, and is written without an exponent


class AmbiguousScalar(ValueError):
    """An unquoted word that would not be read as it stands. `remedy` says what to write."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def read_plain(text: str) -> PlainValue:
    """The value of an unquoted word. Raises `AmbiguousScalar`."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text) or _FLOAT.fullmatch(text) or _BASED.fullmatch(text) or _SPECIAL.fullmatch(text):
        return _number(text)
    return text


def _number(text: str) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        raise AmbiguousScalar("The number is too long.", "If it is a text, write it in quotes.")
    value: int | float = int(text, 0) if _BASED.fullmatch(text) else _decimal(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise AmbiguousScalar(f"{text} is no number that can be sent.", f'If it is a text, write "{text}" in quotes.')
    if str(value) != text:
        # Most places take whole numbers alone, and to JSON 1000.0 is no other number than 1000.
        plain = int(value) if abs(value) < _EXACT and value == int(value) else value
        raise AmbiguousScalar(
            f"{text} would be read as the number {plain}.",
            f'Write "{text}" in quotes if it is a text, or {plain} if it is a number.',
        )
    return value


def _decimal(text: str) -> int | float:
    return int(text) if _INT.fullmatch(text) else float(re.sub(r"\.(?=[in])", "", text.lower()))


def needs_quotes(text: str) -> bool:
    """Whether the text, unquoted, would be read as something else: here or by a reader of YAML 1.1."""
    try:
        return not isinstance(read_plain(text), str) or _MISREAD.fullmatch(text) is not None
    except AmbiguousScalar:
        return True
