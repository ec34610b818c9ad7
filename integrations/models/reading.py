"""Tokens of an integration's components, read in one small statement that is written once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from tenants.models import Tenant
from tenants.stored import COLUMNS, TABLES, WIDTH, Stored


class ReadStatement:
    """Reads what is stored for some tenants behind one component of an integration.

    The rules are those of `ComponentQuerySet.instance`, which is asked where this finds nothing that will do: the
    instance that was connected for the component, else the only one that fits.
    """

    def __init__(self, component: Any, binding: Any, integration: Any) -> None:
        tenants, bindings = Tenant._meta.db_table, binding._meta.db_table
        # Names of ours alone stand in the statement; the values are parameters.
        self._statement = (
            'WITH c AS (SELECT c."id", c."connector_id", c."auth_method_id" '  # noqa: S608
            f'FROM "{component._meta.db_table}" c JOIN "{integration._meta.db_table}" g ON g."id" = c."integration_id" '
            'WHERE g."key" = %s AND c."name" = %s) '
            f'SELECT (SELECT n."key" FROM "{tenants}" n WHERE n."id" = i."tenant_id"), '
            f'(SELECT b."id" FROM "{bindings}" b '
            f'WHERE b."instance_id" = i."id" AND b."component_id" = (SELECT c."id" FROM c)), {COLUMNS} '
            f'FROM {TABLES} WHERE i."connector_id" = (SELECT c."connector_id" FROM c) '
            'AND i."auth_method_id" = COALESCE((SELECT c."auth_method_id" FROM c), i."auth_method_id") '
            f'AND i."tenant_id" '
        )
        self._tenants = f'(SELECT n."id" FROM "{tenants}" n WHERE n."key" '  # noqa: S608

    def of(self, integration: str, component: str, tenants: Sequence[str]) -> dict[str, Stored]:
        """By tenant key, where there is one that is meant without doubt."""
        with connection.cursor() as cursor:
            cursor.execute(self._statement + self._of(len(tenants)), [integration, component, *tenants])
            rows = cursor.fetchall()
        by_tenant: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            by_tenant[row[0]].append(row)
        meant = ((tenant, _meant(found)) for tenant, found in by_tenant.items())
        return {tenant: Stored.of(row[-WIDTH:]) for tenant, row in meant if row is not None}

    def _of(self, tenants: int) -> str:
        if tenants == 1:
            return f"= {self._tenants} = %s)"
        return f"IN {self._tenants} IN ({', '.join(['%s'] * tenants)}))"


def _meant(rows: Sequence[Any]) -> Any:
    bound = [row for row in rows if row[1] is not None]
    chosen = bound or rows
    return chosen[0] if len(chosen) == 1 else None


def chunks(items: Iterable[str], size: int) -> Iterable[list[str]]:
    """Each item once, so many at a time."""
    distinct = list(dict.fromkeys(items))
    return (distinct[start : start + size] for start in range(0, len(distinct), size))
