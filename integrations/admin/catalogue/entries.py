"""What the catalogue holds, as its pages show it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from connectors import ready_made
from connectors.adopting import newer
from connectors.models import CatalogueOrigin, Connector
from connectors.oauth2 import definition
from tenants.wizard.logos import colour_of

_WORDS = {"hr": "HR", "it": "IT", "crm": "CRM", "erp": "ERP"}


@dataclass(frozen=True)
class Added:
    """A connector of this platform that came from an entry, or has its key."""

    key: str
    pk: int
    name: str
    is_outdated: bool


@dataclass(frozen=True)
class Entry:
    """An entry of the catalogue and what was made of it here."""

    document: definition.Connector
    added: Sequence[Added] = ()

    @cached_property
    def row(self) -> Connector:
        """As a connector that isn't stored: for what stands in place of a logo."""
        return Connector(key=self.document.key, name=self.document.name)

    @property
    def colour(self) -> int:
        return colour_of(self.row)

    @property
    def category(self) -> str:
        return title_of(self.document.category)

    @property
    def is_outdated(self) -> bool:
        return any(one.is_outdated for one in self.added)

    def answers(self, words: Iterable[str]) -> bool:
        """Whether each of the words is in its name, its key, its description or its category."""
        document = self.document
        text = " ".join((document.name, document.key, document.description, document.category)).casefold()
        return all(word in text for word in words)


def entries() -> list[Entry]:
    """All of them, by name, in three queries however many there are."""
    added, keys = added_by_entry(), ready_made.keys()
    found = (Entry(ready_made.entry(key), added.get(key, ())) for key in keys)
    return sorted(found, key=lambda entry: entry.document.name.casefold())


def entry(key: str) -> Entry:
    """One of them. Raises `NotInCatalogue`."""
    return Entry(ready_made.entry(key), added_by_entry().get(key, ()))


def added_by_entry() -> Mapping[str, Sequence[Added]]:
    """What of this platform belongs to which entry."""
    origins = {origin.connector_id: origin for origin in CatalogueOrigin.objects.defer("document")}
    known = set(ready_made.keys())
    found: dict[str, list[Added]] = {}
    for row in Connector.objects.only("pk", "key", "name"):
        origin = origins.get(row.pk)
        key = origin.entry if origin else row.key
        if key in known:
            is_outdated = origin is not None and newer(origin, row.key)
            found.setdefault(key, []).append(Added(row.key, row.pk, row.name, is_outdated))
    return found


def title_of(category: str) -> str:
    """A category as a heading: `it-management` is IT management."""
    words = " ".join(_WORDS.get(word, word) for word in category.split("-")) or "other"
    return words[0].upper() + words[1:]


def by_category(found: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    grouped: dict[str, list[Entry]] = {}
    for one in found:
        grouped.setdefault(one.document.category, []).append(one)
    return sorted(grouped.items())
