"""Rows read past the ORM, as objects that hold just what was read."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=models.Model)


def columns(model: type[models.Model], names: Iterable[str], *, alias: str) -> list[str]:
    """The columns of these fields, quoted, as PostgreSQL and SQLite do."""
    by_name = {field.name: field.column for field in model._meta.concrete_fields}
    return [f'{alias}."{by_name[name]}"' for name in names]


def of_row(
    model: type[Row], attributes: dict[str, Any], *, beside: dict[str, Any] | None = None, is_new: bool = False
) -> Row:
    """An object of what was read, as if by `Model.from_db`: what is missing is fetched when it is looked at.

    `beside` are rows that it refers to, or that refer to it, by the names of the fields. `is_new`: of what is still to
    be written, and then nothing may be missing. No signal is sent, no value looked at.
    """
    made, state = model.__new__(model), ModelState()
    if not is_new:
        state.db, state.adding = DEFAULT_DB_ALIAS, False
    if beside is not None:
        state.fields_cache = beside
    made.__dict__.update(attributes, _state=state)
    return made
