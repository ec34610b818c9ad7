"""What came of asking for tokens, written back: one transaction and a handful of statements for however many."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from connectors.encryption import encrypter
from connectors.fields import EncryptedTextField
from connectors.oauth2.errors import LatchkeyError
from tenants import signals
from tenants.models.driver import rows_of
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


def write_back(outcomes: Sequence[Outcome], *, tokens: type[models.Model]) -> list[Outcome]:
    """Write these outcomes, end their leases, and bring statuses in line; those of them that counted.

    What was overtaken (the lease is another's by now) or removed is left alone. A paused instance stays so.
    """
    if not outcomes:
        return []
    with transaction.atomic():
        locked = Instance.objects.lock_all([outcome.instance.id for outcome in outcomes])
        present = [(outcome, now) for outcome in outcomes if outcome.owner and (now := locked.get(outcome.instance.id))]
        for outcome, now in present:
            if _stays_paused(now, outcome):
                outcome.columns["refresh_at"] = None
        written = _write_tokens([outcome for outcome, _ in present], tokens)
        settled = [(outcome, now) for outcome, now in present if outcome.instance.id in written]
        events = _settle(settled)
    for outcome, now in settled:
        there = outcome.instance
        there.status, there.status_code, there.status_reason = now.reason
    counted = [outcome for outcome, _ in settled]
    signals.settled.send_robust(write_back, outcomes=counted, events=events)
    return counted


def _stays_paused(instance: Instance, outcome: Outcome) -> bool:
    return instance.status == Instance.Status.PAUSED and outcome.kind != Event.Kind.RECONNECTED


def _settle(outcomes: Sequence[tuple[Outcome, Instance]]) -> list[Event]:
    """Each of the instances, which are locked, takes on the status that its outcome brings."""
    events: list[Event] = []
    changed: list[Instance] = []
    for outcome, instance in outcomes:
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
    """One statement for all that write the same columns for the same owner; which of them it still held."""
    written: set[UUID] = set()
    groups: dict[tuple[UUID | None, tuple[str, ...]], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.owner, tuple(outcome.columns)].append(outcome)
    for (_, names), alike in groups.items():
        if connection.vendor == "postgresql":
            written |= _written_together(alike, names, tokens)
        else:
            written |= {outcome.instance.id for outcome in alike if _is_written(outcome, names, tokens)}
    return written


def _is_written(outcome: Outcome, names: tuple[str, ...], tokens: type[models.Model]) -> bool:
    held = tokens._default_manager.filter(pk=outcome.instance.id, lease_owner=outcome.owner)
    return bool(held.update(**outcome.columns, lease_owner=None, lease_until=None))


def _written_together(outcomes: Sequence[Outcome], names: tuple[str, ...], tokens: type[models.Model]) -> set[UUID]:
    """One statement, whose parameters are columns: psycopg writes a whole one at once, as PostgreSQL keeps it.

    A column that is the same everywhere is one value.
    """
    meta = tokens._meta
    fields: list[Any] = [meta.get_field(name) for name in names]
    columns = [[outcome.columns[name] for outcome in outcomes] for name in names]
    differ = tuple(values.count(values[0]) < len(values) for values in columns)
    told = list(zip(fields, columns, differ, strict=True))
    parameters = [
        *(_column(field, column[:1])[0] for field, column, differs in told if not differs),
        [outcome.instance.id for outcome in outcomes],
        *(_column(field, column) for field, column, differs in told if differs),
        outcomes[0].owner,
    ]
    return {pk for (pk,) in rows_of(_statement(meta.pk, tuple(fields), differ), parameters)}


def _column(field: Any, values: list[Any]) -> list[Any]:
    # psycopg takes everything else as it is. Django's way to the same values costs as much as their encryption.
    if not isinstance(field, EncryptedTextField):
        return values
    encrypt = encrypter()
    return [None if value is None else encrypt(field.written(value)) for value in values]


@lru_cache(maxsize=32)
def _statement(key: Any, fields: tuple[Any, ...], differ: tuple[bool, ...]) -> str:
    """Its parameters: what is the same everywhere, keys, columns of what differs, and the owner."""
    quoted = connection.ops.quote_name
    table = quoted(key.model._meta.db_table)
    owner, until = (quoted(key.model._meta.get_field(name).column) for name in ("lease_owner", "lease_until"))
    same = [field for field, differs in zip(fields, differ, strict=True) if not differs]
    columns = [key, *(field for field, differs in zip(fields, differ, strict=True) if differs)]
    settings = [
        *(f"{quoted(field.column)} = %b::{field.db_type(connection)}" for field in same),
        *(f"{quoted(field.column)} = n.{quoted(field.column)}" for field in columns[1:]),
        f"{owner} = NULL",
        f"{until} = NULL",
    ]
    # Every name in it is a column's of ours; the values are parameters.
    return (
        f"UPDATE {table} SET {', '.join(settings)} "  # noqa: S608
        f"FROM unnest({', '.join(f'%b::{field.db_type(connection)}[]' for field in columns)}) "
        f"AS n({', '.join(quoted(field.column) for field in columns)}) "
        f"WHERE {table}.{quoted(key.column)} = n.{quoted(key.column)} "
        f"AND {table}.{owner} = %b RETURNING {table}.{quoted(key.column)}"
    )
