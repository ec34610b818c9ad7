"""Encrypted columns."""

import json
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from fernet_fields import EncryptedTextField as FernetTextField  # type: ignore[import-untyped]


class EncryptedTextField(FernetTextField):  # type: ignore[misc]
    """Text, encrypted at rest."""


class EncryptedJSONField(EncryptedTextField):
    """JSON, encrypted at rest."""

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return super().get_db_prep_save(None if value is None else json.dumps(value), connection)

    def to_python(self, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value
