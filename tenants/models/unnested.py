"""Many rows in one statement, whose parameters are columns: psycopg writes a whole one at once, as PostgreSQL keeps it.

A column that is the same for all of them is one value. The first one, which tells the rows apart, never is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection

from connectors.encryption import encrypter
from connectors.fields import EncryptedTextField


@dataclass(frozen=True)
class Source:
    """Where a statement takes the values of these fields from."""

    fields: tuple[Any, ...]
    differ: tuple[bool, ...]  # from row to row

    @property
    def expressions(self) -> list[str]:
        """What stands for each field's value, behind FROM `table`."""
        return [
            f"n.{_quoted(field.column)}" if differs else f"%b::{_kind(field)}"
            for field, differs in zip(self.fields, self.differ, strict=True)
        ]

    @property
    def table(self) -> str:
        """`n`, for FROM."""
        columns = [field for field, differs in zip(self.fields, self.differ, strict=True) if differs]
        arrays = ", ".join(f"%b::{_kind(field)}[]" for field in columns)
        return f"unnest({arrays}) AS n({', '.join(_quoted(field.column) for field in columns)})"


def source(fields: Sequence[Any], columns: Sequence[list[Any]]) -> tuple[Source, list[Any]]:
    """Where the values come from, which are at least one row's; and the parameters: of the expressions, of the table.

    What is the same for all has its place in the statement, so statements of one shape are the same text.
    """
    differ = tuple(place == 0 or values.count(values[0]) < len(values) for place, values in enumerate(columns))
    told = list(zip(fields, columns, differ, strict=True))
    same = [_written(field, values[:1])[0] for field, values, differs in told if not differs]
    return Source(tuple(fields), differ), [
        *same,
        *(_written(field, values) for field, values, differs in told if differs),
    ]


def _written(field: Any, values: list[Any]) -> list[Any]:
    # psycopg takes everything else as it is. Django's way to the same values costs as much as their encryption.
    if not isinstance(field, EncryptedTextField):
        return values
    encrypt = encrypter()
    return [None if value is None else encrypt(field.written(value)) for value in values]


def _kind(field: Any) -> str:
    # Without the length: a cast to varchar(64) cuts silently what writing into such a column would refuse.
    kind: str = field.db_type(connection)
    return kind.partition("(")[0]


@lru_cache(maxsize=256)
def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
