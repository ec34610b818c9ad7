"""Instances and what is stored of their tokens, read past the ORM in statements that are written once."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection, models

from connectors.models import Connector
from tenants.models.readable import Readable
from tenants.models.tenant import Tenant
from tenants.stored import OWN, Stored, columns, moment_of, tables, uuid_of


class Reading:
    """Reads instances, which are of the model `instance`."""

    def __init__(self, instance: type[Readable]) -> None:
        self._instance = instance

    def stored(self, pk: UUID) -> Stored | None:
        """What is stored now; None if there is no such instance."""
        rows = self._rows(self._by_key, [self._prepared(pk)])
        return Stored.of(rows[0], self._instance.rejected) if rows else None

    def find(self, tenant: str, connector: str, name: str | None) -> Any:
        """The only instance that fits, which carries what is stored of it; None if there is none, or more than one."""
        # Texts in every case: PostgreSQL compares a key with nothing else.
        named = [] if name is None else [str(name)]
        statement = f"{self._by_connector}{self._named * len(named)} LIMIT 2"
        rows = self._rows(statement, [str(tenant), str(connector), *named])
        return self._found(rows[0]) if len(rows) == 1 else None

    def _found(self, row: tuple[Any, ...]) -> Readable:
        own = list(row[: len(self._fields)])
        for index, read in self._readers:
            own[index] = read(own[index])
        stored = (*[own[index] for index in self._own], *row[len(own) :])
        found = self._instance.from_db(connection.alias, self._attributes, own)
        found.carry(Stored.of(stored, self._instance.rejected))
        return found

    @staticmethod
    def _rows(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _prepared(self, pk: Any) -> Any:
        return self._instance._meta.pk.get_db_prep_value(pk, connection)

    # Names of ours alone stand in the statements; the values are parameters.

    @cached_property
    def _by_key(self) -> str:
        return f'SELECT {columns(self._instance)} FROM {tables(self._instance)} WHERE i."id" = %s'  # noqa: S608

    @cached_property
    def _by_connector(self) -> str:
        own = [field.name for field in self._fields]
        return (
            f"SELECT {columns(self._instance, own)} FROM {tables(self._instance)} "  # noqa: S608
            f'WHERE i."tenant_id" = (SELECT n."id" FROM "{Tenant._meta.db_table}" n WHERE n."key" = %s) '
            f'AND i."connector_id" = (SELECT c."id" FROM "{Connector._meta.db_table}" c WHERE c."key" = %s)'
        )

    _named = ' AND i."name" = %s'

    @cached_property
    def _fields(self) -> tuple[Any, ...]:
        return tuple(self._instance._meta.concrete_fields)

    @cached_property
    def _attributes(self) -> list[str]:
        return [field.attname for field in self._fields]

    @cached_property
    def _own(self) -> list[int]:
        """Where in a row of all fields those stand which `Stored` wants."""
        names = [field.name for field in self._fields]
        return [names.index(name) for name in OWN]

    @cached_property
    def _readers(self) -> list[tuple[int, Any]]:
        """Where a database may keep another type than the model has, and how to come by that."""
        types = ((models.UUIDField, uuid_of), (models.DateTimeField, moment_of))
        return [
            (index, read) for index, field in enumerate(self._fields) for kind, read in types if isinstance(field, kind)
        ]
