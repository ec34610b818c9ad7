"""What came of asking for tokens, written back: one transaction and a handful of statements for however many."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from connectors.models import AuthMethod
from connectors.oauth2.errors import LatchkeyError
from tenants import signals
from tenants.models.driver import rows_of
from tenants.models.event import Event
from tenants.models.instance import Instance
from tenants.models.succession import Tried, settle
from tenants.models.unnested import Source, source

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
        _reconsider(present)
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


def _reconsider(outcomes: Sequence[tuple[Outcome, Instance]]) -> None:
    """A refusal of what a definition said before it was changed is no reason to give up: it is asked again at once."""
    refused = [(outcome, now) for outcome, now in outcomes if outcome.error is not None and outcome.error.permanent]
    if not refused:
        return
    methods = AuthMethod.objects.filter(pk__in={now.auth_method_id for _, now in refused})
    revisions = dict(methods.values_list("pk", "revision"))
    for outcome, now in refused:
        if revisions.get(now.auth_method_id) != outcome.instance.auth_method.revision:
            outcome.status, outcome.kind = Instance.Status.FAILING, Event.Kind.FAILING
            outcome.columns["refresh_at"] = outcome.at


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
    meta = tokens._meta
    fields = [meta.pk, *(meta.get_field(name) for name in names)]
    columns = [[outcome.columns[name] for outcome in outcomes] for name in names]
    values, parameters = source(fields, [[outcome.instance.id for outcome in outcomes], *columns])
    return {pk for (pk,) in rows_of(_statement(values), [*parameters, outcomes[0].owner])}


@lru_cache(maxsize=32)
def _statement(values: Source) -> str:
    """Its parameters: those of the source, whose first field is the key, and the owner."""
    quoted = connection.ops.quote_name
    key, *written = values.fields
    table = quoted(key.model._meta.db_table)
    owner, until = (quoted(key.model._meta.get_field(name).column) for name in ("lease_owner", "lease_until"))
    settings = [
        *(f"{quoted(one.column)} = {value}" for one, value in zip(written, values.expressions[1:], strict=True)),
        f"{owner} = NULL",
        f"{until} = NULL",
    ]
    # Every name in it is a column's of ours; the values are parameters.
    return (
        f"UPDATE {table} SET {', '.join(settings)} FROM {values.table} "  # noqa: S608
        f"WHERE {table}.{quoted(key.column)} = {values.expressions[0]} AND {table}.{owner} = %b "
        f"RETURNING {table}.{quoted(key.column)}"
    )
