"""What answers say of the endpoints that gave them: closed while in trouble, returned to slowly when they are back."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from connectors.oauth2.errors import LatchkeyError
from tenants import renewal
from tenants.models.endpoint import Result, forget_trouble, is_answer, note_trouble, note_wish

_BATCH = 1000  # tokens whose times are set in one transaction


class Heard(NamedTuple):
    """What an instance heard when it asked the endpoint at this origin (empty: unknown)."""

    origin: str
    instance: UUID
    result: Result


def note(heard: Iterable[Heard], now: datetime, *, tokens: Any, in_trouble: Collection[str] | None = None) -> None:
    """Close endpoints that are in trouble, and open those that answered.

    `in_trouble` are the origins that are known to have been; None: not known. `tokens` is the manager of the tokens,
    of which those that waited for an endpoint that is open again are given a time each.
    """
    by_origin: dict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        by_origin[one.origin].append(one)
    by_origin.pop("", None)
    for origin, said in by_origin.items():
        errors = [(one.instance, one.result) for one in said if isinstance(one.result, LatchkeyError)]
        if not any(is_answer(one.result) for one in said):
            note_trouble(origin, errors, now)
            continue
        # What was heard together was asked together: one answer doesn't undo another's wish to be left alone.
        for instance, error in errors:
            note_wish(origin, error, now, instance=instance)
        if (in_trouble is None or origin in in_trouble) and forget_trouble(origin, now):
            _return_to(tokens.stranded(origin, now), now)


def _return_to(stranded: Any, now: datetime) -> None:
    """Give these tokens a time each, one after another, and let readers in: what failed before says nothing now."""
    waiting = list(stranded.values_list("pk", flat=True))
    meta = stranded.model._meta
    field, key = meta.get_field("refresh_at"), meta.pk
    quoted = connection.ops.quote_name
    statement = (
        f"UPDATE {quoted(meta.db_table)} SET {quoted(field.column)} = %s, {quoted('failures')} = 0 "  # noqa: S608 (names)
        f"WHERE {quoted(key.column)} = %s AND ({quoted('lease_until')} IS NULL OR {quoted('lease_until')} <= %s) "
        # Still so, now that it is its turn: a person may have paused it meanwhile, or somebody else renewed it.
        f"AND ({quoted(field.column)} <= %s OR ({quoted(field.column)} IS NOT NULL AND {quoted('failures')} > 0))"
    )
    reached = field.get_db_prep_save(now, connection)
    for start in range(0, len(waiting), _BATCH):
        rows = [
            (
                field.get_db_prep_save(now + renewal.paced(rank), connection),
                key.get_db_prep_save(pk, connection),
                reached,
                reached,
            )
            for rank, pk in enumerate(waiting[start : start + _BATCH], start)
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, rows)
