"""Tokens read past the ORM: building its queries and objects costs several times as much as the query itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from connectors.definitions import Definition, definition_at
from connectors.encryption import decrypt
from connectors.models import AuthMethod
from connectors.oauth2.values import resolve
from tenants import renewal
from tenants.credentials import Credentials, bought_of, credentials_of
from tenants.models.instance import Instance, InstanceValues, report_rejected
from tenants.models.token import Token

_IDLE = (Instance.Status.PENDING.value, Instance.Status.PAUSED.value)


def _names(model: Any, *names: str, alias: str) -> list[str]:
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    return [f'{alias}."{columns[name]}"' for name in names]


# What a reader needs of an instance `i` and its token `t`. Joins are few: PostgreSQL plans a statement anew each time
# it is made, and each further table in FROM doubles what that takes; a subquery in its own place doesn't.
COLUMNS = ", ".join(
    [
        *_names(Instance, "id", "status", alias="i"),
        'i."auth_method_id"',
        f'(SELECT m."revision" FROM "{AuthMethod._meta.db_table}" m WHERE m."id" = i."auth_method_id")',  # noqa: S608
        *_names(Token, "secrets", "issued_at", "expires_at", "renewed_at", "is_rejected", alias="t"),
        f'(SELECT v."values" FROM "{InstanceValues._meta.db_table}" v WHERE v."instance_id" = i."id")',  # noqa: S608
    ]
)
TABLES = f'"{Instance._meta.db_table}" i JOIN "{Token._meta.db_table}" t ON t."instance_id" = i."id"'
WIDTH = 10  # columns


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of COLUMNS. Its repr shows no secret."""

    instance_id: UUID
    status: str
    method_id: int
    revision: UUID
    secrets: bytes | None = field(repr=False)
    issued_at: datetime | None
    expires_at: datetime | None
    renewed_at: datetime | None
    is_rejected: bool
    values: bytes | None = field(repr=False)

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Stored":
        instance_id, status, method_id, revision, secrets, issued_at, expires_at, renewed_at, is_rejected, values = row
        return cls(
            _uuid(instance_id),
            status,
            method_id,
            _uuid(revision),
            secrets,
            _moment(issued_at),
            _moment(expires_at),
            _moment(renewed_at),
            bool(is_rejected),
            values,
        )

    @property
    def definition(self) -> Definition:
        return definition_at(self.method_id, self.revision)

    def credentials(self, now: datetime, min_ttl: float | None) -> Credentials | None:
        """What a reader gets; None where the token won't do as it is, for whatever reason.

        Raises as `Instance.credentials` does.
        """
        renewal.check_min_ttl(min_ttl)
        life = None if self.issued_at is None else renewal.Life(self.issued_at, self.expires_at)
        is_served = renewal.will_do(life, self.renewed_at, self.is_rejected, now, min_ttl)
        if self.secrets is None or self.values is None or self.status in _IDLE or not is_served:
            return None
        definition = self.definition
        given = _opened(self.values, InstanceValues, "values")
        rendering = resolve(definition.method, given, definition.operator_values(), now=now, uuid=uuid4())
        bought = bought_of(_opened(self.secrets, Token, "secrets"), self.expires_at)
        reject = partial(report_rejected, self.instance_id)
        return credentials_of(self.instance_id, definition.method, rendering, bought, reject)


def _opened(ciphertext: bytes, model: Any, name: str) -> Mapping[str, Any]:
    opened: Mapping[str, Any] = json.loads(decrypt(bytes(ciphertext), what=f"The stored {model._meta.label}.{name}"))
    return opened


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _moment(value: Any) -> datetime | None:
    """SQLite keeps moments without their zone, which is UTC."""
    if value is None:
        return None
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
