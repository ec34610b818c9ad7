"""What came of asking for tokens, written back: one transaction and a handful of statements for however many."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from connectors.fields import EncryptedTextField
from connectors.oauth2.errors import LatchkeyError
from tenants import signals
from tenants.models.event import Event
from tenants.models.instance import Instance
from tenants.models.succession import Tried, settle

_STATUS = ("status", "status_code", "status_reason", "updated_at")


@dataclass
class Outcome:
    """What is to be written for one instance: the token's columns, and the status with its place in the history.

    It counts only while `owner` holds the token's lease.
    """

    instance: Instance
    owner: UUID | None
    columns: dict[str, Any] = field(repr=False)
    status: str
    kind: str
    at: datetime
    error: LatchkeyError | None = None
    actor: Any = None
    # What became of the instance's next secret, where it has one.
    tried: Tried | None = None


def write_back(outcomes: Sequence[Outcome], *, tokens: type[models.Model]) -> set[UUID]:
    """Write these outcomes, end their leases, and bring statuses in line; which instances' outcomes counted.

    What was overtaken (the lease is another's by now) or removed is left alone. A paused instance stays so.
    """
    if not outcomes:
        return set()
    with transaction.atomic():
        locked = Instance.objects.lock_all([outcome.instance.pk for outcome in outcomes])
        present = [outcome for outcome in outcomes if outcome.owner and outcome.instance.pk in locked]
        for outcome in present:
            if _stays_paused(locked[outcome.instance.pk], outcome):
                outcome.columns["refresh_at"] = None
        written = _write_tokens(present, tokens)
        counted = [outcome for outcome in present if outcome.instance.pk in written]
        events = _settle(counted, locked)
    for outcome in counted:
        now = locked[outcome.instance.pk]
        for name in ("status", "status_code", "status_reason"):
            setattr(outcome.instance, name, getattr(now, name))
    signals.settled.send_robust(write_back, outcomes=counted, events=events)
    return written


def _stays_paused(instance: Instance, outcome: Outcome) -> bool:
    return instance.status == Instance.Status.PAUSED and outcome.kind != Event.Kind.RECONNECTED


def _settle(outcomes: Sequence[Outcome], locked: dict[UUID, Instance]) -> list[Event]:
    events: list[Event] = []
    changed: list[Instance] = []
    for outcome in outcomes:
        instance = locked[outcome.instance.pk]
        if outcome.tried and (news := settle(instance, outcome.tried, outcome.at)):
            events.append(news)
        if _stays_paused(instance, outcome):
            continue
        was = instance.reason
        event = instance.settled(outcome.status, outcome.kind, at=outcome.at, error=outcome.error, actor=outcome.actor)
        events += [event] if event else []
        changed += [instance] if instance.reason != was else []
    if changed:
        Instance.objects.bulk_update(changed, _STATUS)
    Event.objects.note(events)
    return events


def _write_tokens(outcomes: Sequence[Outcome], tokens: type[models.Model]) -> set[UUID]:
    """One statement for all that write the same columns; which of them were still held by their owners."""
    written: set[UUID] = set()
    for columns in {tuple(sorted(outcome.columns)) for outcome in outcomes}:
        alike = [outcome for outcome in outcomes if tuple(sorted(outcome.columns)) == columns]
        statement, fields = _statement(columns, tokens)
        rows = [_row(outcome, columns, fields) for outcome in alike]
        counts = _executed(statement, rows)
        written |= {outcome.instance.pk for outcome, count in zip(alike, counts, strict=True) if count}
    return written


def _statement(columns: tuple[str, ...], tokens: type[models.Model]) -> tuple[str, list[Any]]:
    quoted = connection.ops.quote_name
    meta = tokens._meta
    by_name = {field.name: field for field in meta.concrete_fields}
    fields = [*(by_name[name] for name in columns), meta.pk, by_name["lease_owner"]]
    settings = [f"{quoted(field.column)} = %s" for field in fields[:-2]]
    ended = [f"{quoted(by_name[name].column)} = NULL" for name in ("lease_owner", "lease_until")]
    where = " AND ".join(f"{quoted(field.column)} = %s" for field in fields[-2:])
    # Every name in it is a column's of ours; the values are parameters.
    return f"UPDATE {quoted(meta.db_table)} SET {', '.join(settings + ended)} WHERE {where}", fields  # noqa: S608


def _row(outcome: Outcome, columns: tuple[str, ...], fields: list[Any]) -> list[Any]:
    values = [*(outcome.columns[name] for name in columns), outcome.instance.pk, outcome.owner]
    if connection.vendor != "postgresql":
        return [field.get_db_prep_save(value, connection) for field, value in zip(fields, values, strict=True)]
    # psycopg takes everything as it is. Django's way to the same values costs as much as their encryption.
    return [
        field.get_db_prep_save(value, connection) if isinstance(field, EncryptedTextField) else value
        for field, value in zip(fields, values, strict=True)
    ]


def _executed(statement: str, rows: Sequence[Sequence[Any]]) -> list[int]:
    """How many rows each of these changed."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql" or len(rows) == 1:
            counts = []
            for row in rows:
                cursor.execute(statement, row)
                counts.append(cursor.rowcount)
            return counts
        # One round trip: psycopg sends them all before it waits for an answer, and keeps each one's count.
        driver = cursor.cursor
        driver.executemany(statement, rows, returning=True)
        counts = [driver.rowcount]
        while driver.nextset():
            counts.append(driver.rowcount)
        return counts
