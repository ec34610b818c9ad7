"""What differs between two documents, in words: never a value, only where it stands."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What an import does to one connector or integration. `before` None: it is new.

    `effects` are sentences on what that does to a connector's instances.
    """

    before: Document | None
    after: Document
    effects: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not same(self.before, self.after)

    def __str__(self) -> str:
        key = self.after["key"]
        if self.before is None:
            return f"{key}: created"
        return f"{key}: changed ({'; '.join(_grouped(self.before, self.after))})" if self else f"{key}: unchanged"


def same(before: object, after: object) -> bool:
    """Whether two documents are alike to the order of their keys; 1, 1.0 and true differ."""
    return json.dumps(before) == json.dumps(after)


def _grouped(before: Document, after: Document) -> Iterator[str]:
    """`name, auth_methods.oauth: token_request.url, refresh.early`."""
    groups: dict[str, list[str]] = {}
    for path in differences(before, after):
        inside = path[0] == "auth_methods" and len(path) > 2
        groups.setdefault(".".join(path[:2]) if inside else "", []).append(".".join(path[2:] if inside else path))
    for group, paths in groups.items():
        yield f"{group}: {', '.join(paths)}" if group else ", ".join(paths)


def differences(before: Any, after: Any) -> Iterator[tuple[str, ...]]:
    """The deepest places where two documents differ; entries of lists that have a key go by it."""
    if same(before, after):
        return
    old, new = _entries(before), _entries(after)
    if old is None or new is None:
        yield ()
        return
    inside = [
        (name, *path)
        for name in {**old, **new}
        for path in ([()] if (name in old) != (name in new) else differences(old[name], new[name]))
    ]
    # What holds the same entries differs by their order.
    yield from inside or [()]


def value_at(document: Any, path: Sequence[str], *, absent: Any = None) -> Any:
    """What stands at a path as `differences` gives it, or `absent`."""
    for part in path:
        entries = _entries(document)
        if entries is None or part not in entries:
            return absent
        document = entries[part]
    return document


def _entries(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and "key" in item for item in value):
        return {item["key"]: item for item in value}
    return None
