"""How the values of a definition's sections are shown in form fields, and read back."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.admin import steps_text
from connectors.admin.rows import Row, parameters_of, plain_rows, rows_of
from connectors.admin.texts import unchanged


@dataclass(frozen=True)
class Codec:
    """`show`: value → what the form field shows. `read`: what the field cleans to, and the value before → value."""

    show: Callable[[Any], Any]
    read: Callable[[Any, Any], Any]

    def is_unchanged(self, typed: Any, value: Any) -> bool:
        """Whether what was typed says no more than what was shown of `value`."""
        shown = self.show(value)
        if isinstance(typed, str) and isinstance(shown, str):
            return unchanged(shown, typed)
        if isinstance(typed, list) and isinstance(shown, list):
            return plain_rows(typed) == plain_rows(shown)
        return bool(typed == shown)


def _text(value: Any) -> str:
    return value or ""


def _read_text(typed: str, before: Any) -> str:
    return typed.strip()


def _lines(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else value or ""


def split_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read_lines(typed: str, before: Any) -> Any:
    lines = split_lines(typed)
    return lines if len(lines) > 1 else "".join(lines)


def _read_codes(typed: str, before: Any) -> list[Any]:
    """Codes; one that was there before keeps its type."""
    known = {str(code): code for code in before or ()}
    return [known.get(line, line) for line in split_lines(typed)]


def _numbers(value: Any) -> str:
    return ", ".join(map(str, value or ()))


def _read_numbers(typed: str, before: Any) -> list[Any]:
    parts = typed.replace(",", " ").split()
    return [int(part) if part.isdecimal() and len(part) < 10 else part for part in parts]


def _kept(value: Any) -> list[Row]:
    pairs = value if isinstance(value, dict) else {path: path for path in value or ()}
    return [Row(name, path) for name, path in pairs.items()]


def _read_kept(typed: Sequence[Row], before: Any) -> Any:
    """A list where every field is kept under its own path, else a mapping."""
    named = {row.name: row.value.strip() or row.name for row in typed}
    return list(named) if all(name == path for name, path in named.items()) else named


def _conditions(value: Any) -> list[Row]:
    """Values of JSON as text; a text that would be read as something else stands in quotes."""
    return [
        Row(path, item if isinstance(item, str) and _scalar(item) == item else json.dumps(item, ensure_ascii=False))
        for path, items in (value or {}).items()
        for item in items
    ]


def _read_conditions(typed: Sequence[Row], before: Any) -> dict[str, list[Any]]:
    conditions: dict[str, list[Any]] = {}
    for row in typed:
        conditions.setdefault(row.name, []).append(_scalar(row.value.strip()))
    return conditions


def _scalar(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=str)
    except ValueError:
        return text
    return text if isinstance(value, dict | list) else value


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _read_json(typed: str, before: Any) -> Any:
    return json.loads(typed) if typed.strip() else None


TEXT = Codec(_text, _read_text)
PLAIN = Codec(lambda value: value, lambda typed, before: typed)  # choices, numbers, yes or no
OPTIONAL = Codec(_text, lambda typed, before: typed.strip() or None)
JSON = Codec(_json, _read_json)
STEPS = Codec(steps_text.show, lambda typed, before: steps_text.read(typed))
LINES = Codec(_lines, _read_lines)
CODES = Codec(_lines, _read_codes)
NUMBERS = Codec(_numbers, _read_numbers)
ROWS = Codec(rows_of, parameters_of)
KEPT = Codec(_kept, _read_kept)
CONDITIONS = Codec(_conditions, _read_conditions)
