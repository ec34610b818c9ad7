"""Claimed tokens with all that asking for them takes, read past the ORM in one query."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.db import connection
from pydantic_core import from_json

from connectors.encryption import SecretUnreadable, decrypter
from connectors.models import AuthMethod
from tenants.models.columns import columns, of_row
from tenants.models.driver import rows_of
from tenants.models.instance import Instance, InstanceValues
from tenants.models.next_values import NextValues
from tenants.models.token import Token
from tenants.stored import moment_of, uuid_of

Decrypt = Callable[[bytes, str], str]

_OF_TOKEN = (
    "instance",
    "issued_at",
    "expires_at",
    "renewed_at",
    "failures",
    "is_rejected",
    "endpoint",
    "fingerprint",
)
_OF_INSTANCE = ("tenant", "connector", "name", "status", "status_code", "status_reason", "auth_method")
_OF_NEXT = ("values", "added_at", "refused_at")

_STORED, _STORED_NEXT = (f"The stored {model._meta.label}.values" for model in (InstanceValues, NextValues))

_COLUMNS = [
    *columns(Token, _OF_TOKEN, alias="t"),
    # The old token is seldom looked at, and is most of the row: it tells a new one from the same, where there is no
    # fingerprint, and holds the key that tokens of its method are bound to.
    """CASE WHEN t."fingerprint" IS NULL OR m."token_request" LIKE '%%"dpop"%%' THEN t."secrets" END""",
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
    methods: dict[int, AuthMethod] = {}
    decrypt = decrypter()
    for row in rows:
        yield _token(row, owner, methods, decrypt)


def _token(
    row: tuple[Any, ...], owner: UUID, methods: dict[int, AuthMethod], decrypt: Decrypt
) -> tuple[Token, SecretUnreadable | None]:
    pk, issued_at, expires_at, renewed_at, failures, is_rejected, endpoint, mark, secrets = row[:9]
    beside: dict[str, Any] = {}
    instance = _instance((pk, *row[9:16]), beside)
    token = of_row(
        Token,
        {
            "instance_id": instance.id,
            "issued_at": moment_of(issued_at),
            "expires_at": moment_of(expires_at),
            "renewed_at": moment_of(renewed_at),
            "failures": failures,
            "is_rejected": bool(is_rejected),
            "endpoint": endpoint,
            "fingerprint": mark,
        },
        beside={"instance": instance},
    )
    token.hold(owner)
    token.sealed = secrets
    beside["auth_method"] = _method(row[15], row[16], row[17], methods)
    try:
        beside["filled_in"] = _filled_in(instance.id, row[18], decrypt)
        beside["next_values"] = _following(instance.id, row[19:], decrypt)
    except SecretUnreadable as error:
        return token, error
    return token, None


def _instance(row: tuple[Any, ...], beside: dict[str, Any]) -> Instance:
    pk, tenant, connector, name, status, status_code, status_reason, method = row
    return of_row(
        Instance,
        {
            "id": uuid_of(pk),
            "tenant_id": tenant,
            "connector_id": connector,
            "name": name,
            "status": status,
            "status_code": status_code,
            "status_reason": status_reason,
            "auth_method_id": method,
        },
        beside=beside,
    )


def _method(pk: int, connector: int, revision: Any, known: dict[int, AuthMethod]) -> AuthMethod:
    """One object for all of a chunk that are of the same method: they were read in one statement, at one revision."""
    method = known.get(pk)
    if method is None:
        read = {"id": pk, "connector_id": connector, "revision": uuid_of(revision)}
        method = known[pk] = of_row(AuthMethod, read)
    return method


def _filled_in(pk: UUID, values: Any, decrypt: Decrypt) -> InstanceValues | None:
    if values is None:
        return None
    return of_row(InstanceValues, {"instance_id": pk, "values": from_json(decrypt(bytes(values), _STORED))})


def _following(pk: UUID, row: tuple[Any, ...], decrypt: Decrypt) -> NextValues | None:
    values, added_at, refused_at = row
    if values is None:
        return None
    moments = {"added_at": moment_of(added_at), "refused_at": moment_of(refused_at)}
    return of_row(NextValues, {"instance_id": pk, "values": from_json(decrypt(bytes(values), _STORED_NEXT)), **moments})
