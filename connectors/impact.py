"""What a change of a definition does to those who use it: said before it is made, and never silently.

This app knows no instances. Who does is named in `settings.DEFINITION_USERS`; it is asked inside the transaction that
changes the rows, so that what it says is what is stored, and a change that is refused leaves no trace.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction

from connectors.documents import connector_document
from connectors.encryption import SecretUnreadable
from connectors.models import Connector, Variable
from connectors.oauth2 import definition
from connectors.oauth2.method import Method
from connectors.validation import validated

LISTED = 20  # instances that are named; of further ones there is only the number

# What has been looked at so far, and of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class State:
    """A connector as it is at one moment. `typed` are the operator's values by method; its repr shows none of them."""

    document: definition.Connector
    typed: Mapping[str, Mapping[str, str]] = field(repr=False)

    def methods(self) -> dict[str, Method]:
        """Its methods by key."""
        return {
            one.key: Method(self.document.model_copy(update={"auth_methods": [one]}), one)
            for one in self.document.auth_methods
        }


@dataclass(frozen=True)
class Broken:
    """An instance that can't go on with the new definition, and why, in a sentence without a value in it."""

    instance: UUID
    name: str
    tenant: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} of {self.tenant}: {self.reason}"


@dataclass(frozen=True)
class Impact:
    """What a change does to the instances of one connector."""

    connector: str
    notes: Sequence[str] = ()
    broken: Sequence[Broken] = ()

    @property
    def listed(self) -> Sequence[Broken]:
        return self.broken[:LISTED]

    @property
    def unlisted(self) -> int:
        return max(len(self.broken) - LISTED, 0)

    def lines(self) -> list[str]:
        """All of it for a terminal, a line each."""
        more = [f"… and {self.unlisted} more."] if self.unlisted else []
        return [*self.notes, *(str(one) for one in self.listed), *more]


class WouldBreak(Exception):
    """A change was not made, since instances would no longer work with it and nobody confirmed that."""

    def __init__(self, impacts: Sequence[Impact]) -> None:
        super().__init__(f"The change would break {_counted(impacts)}.")
        self.impacts = tuple(impacts)

    @property
    def fingerprint(self) -> str:
        """Stands for exactly these instances and reasons: who confirms it has seen them."""
        return fingerprint(self.impacts)

    def lines(self) -> list[str]:
        return [line for impact in self.impacts for line in impact.lines()]


def fingerprint(impacts: Sequence[Impact]) -> str:
    seen = sorted(f"{one.instance} {one.reason}" for impact in impacts for one in impact.broken)
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:32]


def _counted(impacts: Sequence[Impact]) -> str:
    count = sum(len(impact.broken) for impact in impacts)
    return f"{count} instance{'' if count == 1 else 's'}"


class Users(Protocol):
    """Who knows what uses definitions."""

    def assess(self, before: State, after: State, *, progress: Progress) -> Impact:
        """What the change does. Writes nothing."""

    def mark(self, impact: Impact, *, actor: Any) -> None:
        """Set aside the instances that the change breaks, each with its reason. Needs a transaction."""


def users() -> Users:
    return cast(Users, import_module(settings.DEFINITION_USERS))


def silent(done: int, total: int) -> None:
    """Nobody watches."""


def state_of(key: str) -> State | None:
    """The connector as the database has it; None where there is none, or one that makes no sense yet."""
    row = Connector.objects.with_definitions().defer("logo").filter(key=key).first()
    if row is None:
        return None
    document, _ = validated(definition.Connector, connector_document(row))
    if document is None:
        return None
    return State(
        document, {method.key: _typed(Variable.objects.of_method(method)) for method in row.auth_methods.all()}
    )


def _typed(variables: Any) -> dict[str, str]:
    try:
        return {row.key: row.operator_value for row in variables.with_operator_value()}
    except SecretUnreadable:
        return {}  # whoever needs one says so


def settle(
    before: Sequence[State],
    *,
    confirmed: bool | str = False,
    actor: Any = None,
    progress: Progress = silent,
    who: Users | None = None,
) -> list[Impact]:
    """Say what a change that has just been written does, and mark what it breaks. Needs a transaction.

    `confirmed`: True, or the fingerprint that was shown to who confirms. Raises `WouldBreak` without it: the
    transaction must then be rolled back.
    """
    who = who or users()
    changed = [(old, new) for old in before if (new := state_of(old.document.key)) is not None and new != old]
    impacts = [who.assess(old, new, progress=progress) for old, new in changed]
    breaking = [impact for impact in impacts if impact.broken]
    if breaking and confirmed is not True and confirmed != fingerprint(breaking):
        raise WouldBreak(breaking)
    for impact in breaking:
        who.mark(impact, actor=actor)
    return impacts


@contextmanager
def watched(
    keys: Collection[str], *, confirmed: bool | str = False, actor: Any = None, progress: Progress = silent
) -> Iterator[list[Impact]]:
    """Change these connectors inside, in one transaction. What is yielded holds the impacts afterwards.

    Raises `WouldBreak`, and then nothing was changed.
    """
    impacts: list[Impact] = []
    with transaction.atomic():
        before = [state for key in keys if (state := state_of(key)) is not None]
        yield impacts
        impacts += settle(before, confirmed=confirmed, actor=actor, progress=progress)
