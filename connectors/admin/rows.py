"""Parameters and header fields in forms: rows of a name and a value, which can be added and removed."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import BASE_INPUT_CLASSES

SPARE_ROWS = 2  # to be filled in where no script can add any


class Row(NamedTuple):
    """One row. `off`: the parameter is not sent although the type supplies it (a document's null)."""

    name: str
    value: str
    off: bool = False


class RowsWidget(forms.Widget):
    """A table of names and values. `can_switch_off` says whether a row can be kept from being sent."""

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        *,
        names: str = "Name",
        values: str = "Value",
        can_switch_off: bool = True,
    ) -> None:
        super().__init__(attrs)
        self.names = names
        self.values = values
        self.can_switch_off = can_switch_off

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        rows = list(value or ())
        context = {
            "widget": self,
            "name": name,
            "id": (attrs or {}).get("id", name),
            "attrs": attrs or {},
            "rows": rows,
            "next": len(rows),
            "spare": [*rows, *[Row("", "")] * SPARE_ROWS],
            "input_classes": " ".join(BASE_INPUT_CLASSES),
            "disabled": bool({**self.attrs, **(attrs or {})}.get("disabled")),
        }
        return SafeString(render_to_string("admin/connectors/rows.html", context))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        own = re.compile(rf"{re.escape(name)}-(\d{{1,6}})-name")
        indexes = sorted(int(match[1]) for key in data if (match := own.fullmatch(key)))
        rows = (
            Row(
                str(data.get(f"{name}-{index}-name", "")).strip(),
                plain(str(data.get(f"{name}-{index}-value", ""))),
                f"{name}-{index}-off" in data,
            )
            for index in indexes
        )
        return [row for row in rows if row.name or row.value]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""  # a group of controls, each with a label of its own


class RowsField(forms.Field):
    """Rows; cleans to a list of `Row`."""

    widget = RowsWidget

    def __init__(self, *, once: bool = False, **kwargs: Any) -> None:
        """`once`: no name may be there twice."""
        super().__init__(required=False, **kwargs)
        self.once = once

    def clean(self, value: Any) -> list[Row]:
        rows: list[Row] = list(value or ())
        if any(not row.name for row in rows):
            raise ValidationError("A value has no name. Give it one, or remove the row.", code="nameless")
        names = [row.name for row in rows]
        if self.once and (twice := next((name for name in names if names.count(name) > 1), "")):
            raise ValidationError(f"{twice} is there twice. Remove one.", code="twice")
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and plain_rows(initial or ()) != plain_rows(data or ())


def plain(text: str) -> str:
    """The text with the line breaks that documents have: browsers send CRLF."""
    return text.replace("\r\n", "\n")


def plain_rows(rows: Iterable[Row]) -> list[Row]:
    return [Row(row.name.strip(), plain(row.value), row.off) for row in rows]


def rows_of(parameters: Mapping[str, Any] | None) -> list[Row]:
    """The rows of a mapping; a list repeats its name."""
    return [row for name, value in (parameters or {}).items() for row in _rows(name, value)]


def _rows(name: str, value: Any) -> list[Row]:
    return [
        Row(name, "", off=True) if item is None else Row(name, item if isinstance(item, str) else json.dumps(item))
        for item in (value if isinstance(value, list) else [value])
    ]


def parameters_of(rows: Sequence[Row], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The mapping that rows say; a name whose rows are as before keeps its value, whatever type it has."""
    by_name: dict[str, list[Row]] = {}
    for row in plain_rows(rows):
        by_name.setdefault(row.name, []).append(row)
    return {name: _value(name, found, before or {}) for name, found in by_name.items()}


def _value(name: str, found: list[Row], before: Mapping[str, Any]) -> Any:
    if name in before and plain_rows(_rows(name, before[name])) == found:
        return before[name]
    values = [None if row.off else row.value for row in found]
    return values if len(values) > 1 else values[0]
