"""Claimed tokens with all that asking for them takes, read past the ORM in one query."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from connectors.encryption import SecretUnreadable, decrypt
from connectors.models import AuthMethod
from tenants.models.columns import columns, of_row
from tenants.models.driver import rows_of
from tenants.models.instance import Instance, InstanceValues
from tenants.models.next_values import NextValues
from tenants.models.token import Token
from tenants.stored import moment_of, uuid_of

_OF_TOKEN = (
    "instance",
    "issued_at",
    "expires_at",
    "renewed_at",
    "failures",
    "is_rejected",
    "endpoint",
    "secrets",
    "fingerprint",
)
_OF_INSTANCE = ("tenant", "connector", "name", "status", "status_code", "status_reason", "auth_method")
_OF_NEXT = ("values", "added_at", "refused_at")

_COLUMNS = [
    *columns(Token, _OF_TOKEN, alias="t"),
    *columns(Instance, _OF_INSTANCE, alias="i"),
    *columns(AuthMethod, ("connector", "revision"), alias="m"),
    *columns(InstanceValues, ("values",), alias="v"),
    *columns(NextValues, _OF_NEXT, alias="n"),
]
_STATEMENT = (
    f'SELECT {", ".join(_COLUMNS)} FROM "{Token._meta.db_table}" t '  # noqa: S608 (names of ours)
    f'JOIN "{Instance._meta.db_table}" i ON i."id" = t."instance_id" '
    f'JOIN "{AuthMethod._meta.db_table}" m ON m."id" = i."auth_method_id" '
    f'LEFT JOIN "{InstanceValues._meta.db_table}" v ON v."instance_id" = i."id" '
    f'LEFT JOIN "{NextValues._meta.db_table}" n ON n."instance_id" = i."id" '
    'WHERE t."lease_owner" = %s ORDER BY t."refresh_at"'
)


def held_by(owner: UUID) -> Iterator[tuple[Token, SecretUnreadable | None]]:
    """The tokens whose leases `owner` holds, the longest overdue first, each to be acted for under its lease.

    With each the error, where what was filled in for its instance can't be decrypted.
    """
    if connection.vendor == "postgresql":
        rows = rows_of(_STATEMENT, [owner])
    else:
        field = Token._meta.get_field("lease_owner")
        with connection.cursor() as cursor:
            rows = cursor.execute(_STATEMENT, [field.get_db_prep_value(owner, connection)]).fetchall()
    methods: dict[tuple[Any, Any], AuthMethod] = {}
    for row in rows:
        yield _token(row, owner, methods)


def _token(
    row: tuple[Any, ...], owner: UUID, methods: dict[tuple[Any, Any], AuthMethod]
) -> tuple[Token, SecretUnreadable | None]:
    pk, issued_at, expires_at, renewed_at, failures, is_rejected, endpoint, secrets, mark = row[:9]
    tenant, connector, name, status, status_code, status_reason, method_id = row[9:16]
    of_connector, revision, values, following, added_at, refused_at = row[16:]
    pk = uuid_of(pk)
    method = methods.get((method_id, revision))
    if method is None:
        known = {"id": method_id, "connector_id": of_connector, "revision": uuid_of(revision)}
        method = methods[method_id, revision] = of_row(AuthMethod, known)
    instance = of_row(
        Instance,
        {
            "id": pk,
            "tenant_id": tenant,
            "connector_id": connector,
            "name": name,
            "status": status,
            "status_code": status_code,
            "status_reason": status_reason,
            "auth_method_id": method_id,
        },
    )
    token = of_row(
        Token,
        {
            "instance_id": pk,
            "issued_at": moment_of(issued_at),
            "expires_at": moment_of(expires_at),
            "renewed_at": moment_of(renewed_at),
            "failures": failures,
            "is_rejected": bool(is_rejected),
            "endpoint": endpoint,
            "fingerprint": mark,
        },
    )
    token.hold(owner)
    token.sealed = secrets
    token._state.fields_cache["instance"] = instance
    known_of = instance._state.fields_cache
    known_of["auth_method"] = method
    trouble = None
    try:
        given = (
            None
            if values is None
            else of_row(InstanceValues, {"instance_id": pk, "values": _opened(InstanceValues, values)})
        )
        later = None
        if following is not None:
            later = of_row(
                NextValues,
                {
                    "instance_id": pk,
                    "values": _opened(NextValues, following),
                    "added_at": moment_of(added_at),
                    "refused_at": moment_of(refused_at),
                },
            )
        known_of["filled_in"], known_of["next_values"] = given, later
    except SecretUnreadable as error:
        trouble = error
    return token, trouble


def _opened(model: Any, ciphertext: Any) -> Any:
    return json.loads(decrypt(bytes(ciphertext), what=f"The stored {model._meta.label}.values"))
