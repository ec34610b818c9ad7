"""JSON in a text column: unlike PostgreSQL's `jsonb`, it keeps the order of keys, and so that of parameters."""

import json
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class JSONTextField(models.TextField):  # type: ignore[type-arg]  # (Django's own can't be subscripted)
    """JSON that is only ever read whole."""

    # For django-stubs: what may be assigned and what is read.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: object, connection: BaseDatabaseWrapper) -> Any:
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def value_to_string(self, obj: models.Model) -> Any:
        return self.value_from_object(obj)
