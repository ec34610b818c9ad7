"""What a changed definition does to instances: which can't go on with it, and setting those aside.

Values are encrypted, so every instance's are read once, in batches. An instance counts as broken only by what was in
order before: trouble that it had already is no fault of the change.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone

from connectors.definitions import Definition
from connectors.effects import changed_requests, changed_variables, is_same_in_use
from connectors.encryption import SecretUnreadable
from connectors.impact import Broken, Impact, Progress, State
from connectors.oauth2.definition import Variable
from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.exchange import Clock
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.request import with_base_url
from connectors.oauth2.templates import Rendering
from connectors.oauth2.values import check_given, missing, resolve
from tenants.models import Event, Instance, Token

BATCH = 500  # instances

_One = TypeVar("_One")


def assess(before: State, after: State, *, progress: Progress) -> Impact:
    """What the change does to the instances of the connector's methods. Writes nothing."""
    old, new = before.methods(), after.methods()
    notes: list[str] = []
    broken: list[Broken] = []
    for key in new:
        if key not in old:
            continue
        definitions = (Definition(old[key], before.typed.get(key, {})), Definition(new[key], after.typed.get(key, {})))
        of_method = Instance.objects.filter(connector__key=after.document.key, auth_method__key=key)
        count = of_method.count()
        if not count or (is_same_in_use(old[key], new[key]) and definitions[0].typed == definitions[1].typed):
            continue
        found = list(_broken(of_method, *definitions, progress=progress))
        notes += _notes(new[key], old[key], count, len(found))
        broken += found
    return Impact(after.document.key, notes, broken)


def _notes(new: Method, old: Method, count: int, broken: int) -> Iterator[str]:
    name = new.definition.name
    yield from (f"{name}: {said}" for said in changed_variables(old, new))
    requests = changed_requests(old, new)
    yield from (f"{name}: {said}" for said in requests)
    instances = f"{count} instance{'' if count == 1 else 's'}"
    if broken:
        yield f"{name}: {broken} of {instances} can't go on with it."
    going_on = count - broken
    if going_on:
        what = "it" if going_on == 1 else "they"
        many = "1 instance goes" if going_on == 1 else f"{going_on} instances go"
        requested = f" {what.capitalize()} will use the changed requests from the next renewal on." if requests else ""
        yield f"{name}: {many} on with the values that {what} {'has' if going_on == 1 else 'have'}.{requested}"


def _broken(instances: Any, before: Definition, after: Definition, *, progress: Progress) -> Iterator[Broken]:
    pks = list(instances.order_by("pk").values_list("pk", flat=True))
    done = 0
    for batch in _batches(pks):
        for instance in _read(batch):
            reason = _reason(instance, before, after)
            if reason:
                yield Broken(instance.pk, str(instance), str(instance.tenant), reason)
        done += len(batch)
        progress(done, len(pks))


def _read(pks: Sequence[UUID]) -> Iterator[Instance]:
    """The instances with their values, without those whose values can't be read: they have that trouble already."""
    rows = Instance.objects.select_related("tenant", "connector", "filled_in").defer("connector__logo").order_by("pk")
    try:
        found = list(rows.filter(pk__in=pks))
    except SecretUnreadable:
        found = []
    if found or not pks:
        yield from found
    elif len(pks) > 1:
        middle = len(pks) // 2
        yield from _read(pks[:middle])
        yield from _read(pks[middle:])


def _reason(instance: Instance, before: Definition, after: Definition) -> str:
    """What is newly wrong with the instance's values, as sentences that repeat none of them; or nothing."""
    try:
        values: Mapping[str, str] = instance.filled_in.values
    except ObjectDoesNotExist:
        values = {}
    found = _problems(after, values)
    if found:
        known = _problems(before, values)
        found = {key: said for key, said in found.items() if key not in known}
    if not found:
        return ""
    return " ".join([*(said for said, _ in found.values()), _remedy(variable for _, variable in found.values())])


def _remedy(variables: Iterable[Variable | None]) -> str:
    if all(variable is None or variable.is_typed_by_tenant for variable in variables):
        return "Reconnect it and fill in what is asked for."
    return "The administrator of this platform must set what is missing; then check the instance."


def _problems(definition: Definition, values: Mapping[str, str]) -> dict[str, tuple[str, Variable | None]]:
    """By variable key, what keeps these values from making a request; "" is the address that they make."""
    method = definition.method
    rendering = resolve(method, values, definition.operator_values(), now=timezone.now())
    found: dict[str, tuple[str, Variable | None]] = {
        variable.key: (
            f"The definition now asks for {variable.title}, which this instance has no value for.",
            variable,
        )
        for variable in missing(method, rendering)
    }
    asked = {variable.key: variable for variable in method.asked}
    for key, wrong in check_given(method, {key: value for key, value in values.items() if key in asked}).items():
        said = f"The definition no longer takes the value that this instance has for {asked[key].title}. {wrong}"
        found.setdefault(key, (said, asked[key]))
    if not found and (wrong := _wrong_address(method, rendering)):
        found[""] = (f"The token URL can't be made of this instance's values any more. {wrong}", None)
    return found


def _wrong_address(method: Method, rendering: Rendering) -> str:
    try:
        rendering = with_base_url(method, rendering)
        if not names_in(method.definition.token_request.url) <= rendering.values.keys():
            return ""  # made of what only an answer holds
        method.token_url.render(rendering)
    except ValidationFailed as error:
        return str(error)
    return ""


def mark(impact: Impact, *, actor: Any, clock: Clock = timezone.now) -> None:
    """Set the broken instances aside, each with its reason and an event. Needs a transaction.

    A paused one stays paused, with the event. A renewal in flight loses its lease: what it brings would belong to the
    definition as it was. The token itself stays and serves while it lives.
    """
    reasons = {one.instance: one.reason for one in impact.broken}
    for batch in _batches(sorted(reasons)):
        rows = list(Instance.objects.select_for_update(no_key=True).order_by("pk").filter(pk__in=batch))
        Token.objects.filter(pk__in=batch).update(refresh_at=None, lease_owner=None, lease_until=None)
        _set_aside(rows, reasons, clock())
        Event.objects.note([_event(row, reasons[row.pk], actor, clock()) for row in rows])


def _set_aside(rows: Iterable[Instance], reasons: Mapping[UUID, str], now: datetime) -> None:
    """One statement for each reason: of those there are few, however many instances there are."""
    by_reason: dict[str, list[UUID]] = {}
    for row in rows:
        if row.status != Instance.Status.PAUSED:
            by_reason.setdefault(reasons[row.pk], []).append(row.pk)
    for reason, pks in by_reason.items():
        Instance.objects.filter(pk__in=pks).update(
            status=Instance.Status.ACTION_REQUIRED,
            status_code=ValidationFailed.code,
            status_reason=reason,
            updated_at=now,
        )


def _event(row: Instance, reason: str, actor: Any, now: datetime) -> Event:
    """What happened to an instance whose status here is still the one before."""
    is_paused = row.status == Instance.Status.PAUSED
    return Event(
        instance=row,
        at=now,
        kind=Event.Kind.CHANGED if is_paused else Event.Kind.ACTION_REQUIRED,
        status_before=row.status,
        status_after=row.status if is_paused else Instance.Status.ACTION_REQUIRED,
        code=ValidationFailed.code,
        message=reason,
        actor=actor,
    )


def _batches(items: Sequence[_One]) -> Iterator[list[_One]]:
    waiting = iter(items)
    while batch := list(islice(waiting, BATCH)):
        yield batch
