"""Tokens of an integration's components, read in one small statement that is written once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from tenants.models import Instance, Tenant
from tenants.stored import WIDTH, Stored, columns, tables


class ReadStatement:
    """Reads what is stored for some tenants behind one component of an integration.

    The rules are those of `ComponentQuerySet.instance`, which is asked where this finds nothing that will do: the
    instance that was connected for the component, else the only one that fits.
    """

    def __init__(self, component: Any, binding: Any, integration: Any) -> None:
        tenants, bindings = Tenant._meta.db_table, binding._meta.db_table
        # Names of ours alone stand in the statements; the values are parameters.
        of_component = (
            'WITH c AS (SELECT c."id", c."connector_id", c."auth_method_id" '  # noqa: S608
            f'FROM "{component._meta.db_table}" c WHERE c."name" = %s AND c."integration_id" = '
            f'(SELECT g."id" FROM "{integration._meta.db_table}" g WHERE g."key" = %s))'
        )
        found = (
            f'(SELECT b."id" FROM "{bindings}" b '  # noqa: S608
            f'WHERE b."instance_id" = i."id" AND b."component_id" = (SELECT c."id" FROM c)), {columns(Instance)} '
            f'FROM {tables(Instance)} WHERE i."connector_id" = (SELECT c."connector_id" FROM c) '
            'AND i."auth_method_id" = COALESCE((SELECT c."auth_method_id" FROM c), i."auth_method_id") '
            'AND i."tenant_id" '
        )
        tenant_key = f'(SELECT n."key" FROM "{tenants}" n WHERE n."id" = i."tenant_id")'  # noqa: S608
        tenant = f'(SELECT n."id" FROM "{tenants}" n WHERE n."key" '  # noqa: S608
        self._of_one = f"{of_component} SELECT {found} = {tenant} = %s)"
        self._of_many = f"{of_component} SELECT {tenant_key}, {found} IN {tenant} IN "

    def of(self, integration: str, component: str, tenants: Sequence[str]) -> dict[str, Stored]:
        """By tenant key, where there is one that is meant without doubt."""
        # Texts in every case: PostgreSQL compares a key with nothing else.
        parameters = [str(component), str(integration), *map(str, tenants)]
        by_tenant: dict[str, list[Any]] = defaultdict(list)
        with connection.cursor() as cursor:
            if len(tenants) == 1:
                cursor.execute(self._of_one, parameters)
                by_tenant[tenants[0]] = cursor.fetchall()
            else:
                cursor.execute(f"{self._of_many}({', '.join(['%s'] * len(tenants))}))", parameters)
                for key, *row in cursor.fetchall():
                    by_tenant[key].append(row)
        meant = ((tenant, _meant(found)) for tenant, found in by_tenant.items())
        return {tenant: Stored.of(row[-WIDTH:], Instance.rejected) for tenant, row in meant if row is not None}


def _meant(rows: Sequence[Any]) -> Any:
    bound = [row for row in rows if row[0] is not None]
    chosen = bound or rows
    return chosen[0] if len(chosen) == 1 else None


def chunks(items: Iterable[str], size: int) -> Iterable[list[str]]:
    """Each item once, so many at a time."""
    distinct = list(dict.fromkeys(items))
    return (distinct[start : start + size] for start in range(0, len(distinct), size))
