"""Three versions of a document: as it was taken from the catalogue, as the catalogue has it now, and as it is here."""

import json
from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from typing import Any

from connectors.document_changes import Document, differences, same, value_at


class _Absent:
    """Stands where a document says nothing, which is something else than null."""


ABSENT: Any = _Absent()


class Side(Enum):
    """Who changed a place since the connector was taken from the catalogue."""

    CATALOGUE = "catalogue"
    BOTH = "both"
    HERE = "here"


@dataclass(frozen=True)
class Difference:
    """A place where the connector differs from the catalogue's entry. A value that isn't there is `ABSENT`."""

    path: tuple[str, ...]
    was: Any
    here: Any
    shipped: Any
    side: Side

    @property
    def id(self) -> str:
        """Names the place in a form."""
        return json.dumps(self.path)

    @property
    def place(self) -> str:
        return ".".join(self.path) or "the order of its parts"


def compare(base: Document | None, here: Document, shipped: Document) -> list[Difference]:
    """Every place where `here` differs from `shipped`. Without a `base` each counts as changed on both sides."""
    found = []
    for path in differences(here, shipped):
        was = ABSENT if base is None else value_at(base, path, absent=ABSENT)
        mine, theirs = value_at(here, path, absent=ABSENT), value_at(shipped, path, absent=ABSENT)
        found.append(Difference(path, was, mine, theirs, Side.BOTH if base is None else _side(was, mine, theirs)))
    return found


def _side(was: Any, here: Any, shipped: Any) -> Side:
    if _alike(was, shipped):
        return Side.HERE
    return Side.CATALOGUE if _alike(was, here) else Side.BOTH


def _alike(one: Any, other: Any) -> bool:
    return one is other if ABSENT in (one, other) else same(one, other)


def merged(here: Document, shipped: Document, taken: Sequence[Difference]) -> dict[str, Any]:
    """`here` with what is taken from `shipped`: with everything taken it is `shipped`, order included."""
    if {one.path for one in taken} == set(differences(here, shipped)):
        return dict(shipped)
    document: Any = deepcopy(dict(here))
    for one in taken:
        document = _put(document, one.path, one.shipped, shipped)
    return dict(document)


def _put(document: Any, path: tuple[str, ...], value: Any, pattern: Any) -> Any:
    """`document` with `value` at `path`; new entries stand where they stand in `pattern`."""
    if not path:
        return value
    name, inside = path[0], path[1:]
    if isinstance(document, list):
        return _put_in_list(document, name, inside, value, pattern)
    if not inside and value is ABSENT:
        return {key: item for key, item in document.items() if key != name}
    deeper = pattern.get(name) if isinstance(pattern, dict) else None
    return {**document, name: _put(document.get(name), inside, value, deeper)}


def _put_in_list(items: list[Any], key: str, inside: tuple[str, ...], value: Any, pattern: Any) -> list[Any]:
    order = [item["key"] for item in pattern] if isinstance(pattern, list) else []
    keys = [item["key"] for item in items]
    if key not in keys:
        before = order[: order.index(key)] if key in order else keys
        return [*items[: (place := _behind(keys, before))], value, *items[place:]]
    if not inside and value is ABSENT:
        return [item for item in items if item["key"] != key]
    deeper = next((item for item in pattern if item["key"] == key), None) if order else None
    return [_put(item, inside, value, deeper) if item["key"] == key else item for item in items]


def _behind(keys: Sequence[str], before: Collection[str]) -> int:
    """The place behind the last of `keys` that is among `before`."""
    return max((index + 1 for index, key in enumerate(keys) if key in before), default=0)
