"""Tokens read past the ORM: building its queries and objects costs several times as much as the query itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Model
from pydantic_core import from_json

from connectors.definitions import Definition, definition_at
from connectors.encryption import decrypt
from connectors.models import AuthMethod
from connectors.oauth2.templates import Rendering
from connectors.oauth2.values import resolve
from tenants import renewal
from tenants.credentials import Credentials, bought_of, credentials_of

Reject = Callable[[UUID, str], bool]

_IDLE = ("pending", "paused")
_TOKEN = ("secrets", "issued_at", "expires_at", "renewed_at", "is_rejected")

OWN = ("id", "status", "auth_method")  # what a row of `columns` begins with
WIDTH = 10  # columns


def columns(instance: type[Model], own: Sequence[str] = OWN) -> str:
    """What a reader needs of an instance `i`, `own` of itself, and of its token `t`.

    Joins are few: PostgreSQL plans a statement anew each time it is made, and each further table in FROM doubles what
    that takes; a subquery in its own place doesn't.
    """
    return ", ".join(
        [
            *_named(instance, own, "i"),
            f'(SELECT m."revision" FROM "{AuthMethod._meta.db_table}" m WHERE m."id" = i."auth_method_id")',  # noqa: S608
            *_named(_beside(instance, "token"), _TOKEN, "t"),
            f'(SELECT v."values" FROM "{_beside(instance, "filled_in")._meta.db_table}" v '  # noqa: S608
            'WHERE v."instance_id" = i."id")',
        ]
    )


def tables(instance: type[Model]) -> str:
    """Every instance, whether or not there is a token beside it."""
    token = _beside(instance, "token")._meta.db_table
    return f'"{instance._meta.db_table}" i LEFT JOIN "{token}" t ON t."instance_id" = i."id"'


def _named(model: type[Model], names: Sequence[str], alias: str) -> list[str]:
    return [f'{alias}."{model._meta.get_field(name).column}"' for name in names]  # type: ignore[union-attr]


def _beside(instance: type[Model], name: str) -> type[Model]:
    """The model of which each instance has one row."""
    model: type[Model] = instance._meta.get_field(name).related_model  # type: ignore[assignment]
    return model


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of `columns`. Its repr shows no secret."""

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
    reject: Reject = field(repr=False)

    @classmethod
    def of(cls, row: Sequence[Any], reject: Reject) -> "Stored":
        """`reject` is what becomes of a token of this instance that an API turned down."""
        instance_id, status, method_id, revision, secrets, issued_at, expires_at, renewed_at, is_rejected, values = row
        return cls(
            uuid_of(instance_id),
            status,
            method_id,
            uuid_of(revision),
            secrets,
            moment_of(issued_at),
            moment_of(expires_at),
            moment_of(renewed_at),
            bool(is_rejected),
            values,
            reject,
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
        if self.secrets is None or self.status in _IDLE or not is_served:
            return None
        bought = bought_of(_opened(self.secrets, "tenants.Token.secrets"), self.expires_at)
        reject = partial(self.reject, self.instance_id)
        return credentials_of(self.instance_id, self.definition.method, self._rendering(now), bought, reject)

    def _rendering(self, now: datetime) -> Rendering:
        """What is signed with, besides the token: values are decrypted only where a definition signs with them."""
        definition = self.definition
        if definition.method.signs_by_token_alone:
            return Rendering({}, now)
        given = {} if self.values is None else _opened(self.values, "tenants.InstanceValues.values")
        return resolve(definition.method, given, definition.operator_values(), now=now)


def _opened(ciphertext: bytes, name: str) -> Mapping[str, Any]:
    opened: Mapping[str, Any] = from_json(decrypt(bytes(ciphertext), what=f"The stored {name}"))
    return opened


def uuid_of(value: Any) -> UUID:
    """SQLite keeps UUIDs as texts."""
    return value if isinstance(value, UUID) else UUID(value)


def moment_of(value: Any) -> datetime | None:
    """SQLite keeps moments without their zone, which is UTC."""
    if value is None:
        return None
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
