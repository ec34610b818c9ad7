"""From the catalogue into the platform: adding entries, and bringing what came from one up to date.

An entry's version is a digest of what it says. A connector remembers the version that it was last compared with and
the whole document of that time, so that later changes of the catalogue and changes made here can be told apart.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import transaction

from connectors import ready_made
from connectors.document_changes import Change
from connectors.documents import DocumentRefused, connector_document, store_connector
from connectors.impact import Progress, silent, watched
from connectors.merging import Difference, Side, compare, merged
from connectors.models import CatalogueOrigin, Connector
from connectors.oauth2 import definition
from connectors.validation import validated


class AlreadyThere(Exception):
    """Connectors with these keys exist; adding them would overwrite what an administrator may have changed."""


class Moved(Exception):
    """The connector or the catalogue has changed since the differences were shown."""


def digest_of(document: Mapping[str, Any]) -> str:
    """The version of a document."""
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()


def shipped(entry: str, key: str) -> dict[str, Any]:
    """The entry's document as the catalogue has it now, for a connector called `key`. Raises `NotInCatalogue`."""
    return {**ready_made.entry(entry).stated(), "key": key}


def add(entries: Mapping[str, str]) -> list[Change]:
    """Make connectors of entries, {key of the entry: key of the connector}: all of them, or none.

    Raises `NotInCatalogue`, `AlreadyThere`, `DocumentRefused`.
    """
    documents = {entry: shipped(entry, key) for entry, key in entries.items()}
    _refuse_taken(entries.values())
    with transaction.atomic():
        return [_add(entry, document) for entry, document in documents.items()]


def _add(entry: str, document: Mapping[str, Any]) -> Change:
    change = store_connector(_checked(document))
    _remember(str(document["key"]), entry, document)
    return change


def _refuse_taken(keys: Collection[str]) -> None:
    taken = sorted(Connector.objects.filter(key__in=keys).values_list("key", flat=True))
    if not taken:
        return
    one = len(taken) == 1
    raise AlreadyThere(
        f"There already {'is a connector' if one else 'are connectors'} {', '.join(taken)}, and nothing of "
        f"{'it' if one else 'them'} is overwritten. `manage.py connectors catalogue --difference KEY` shows how one "
        "differs from the catalogue, `connectors add-from-catalogue --update KEY` takes what is new there."
    )


def _remember(key: str, entry: str, document: Mapping[str, Any]) -> None:
    connector = Connector.objects.only("pk").get(key=key)
    CatalogueOrigin.objects.update_or_create(
        connector=connector, defaults={"entry": entry, "digest": digest_of(document), "document": document}
    )


def _checked(document: Mapping[str, Any]) -> definition.Connector:
    found, problems = validated(definition.Connector, dict(document))
    if found is None:
        raise DocumentRefused(str(document.get("key")), problems)
    return found


@dataclass(frozen=True)
class Comparison:
    """A connector beside its entry in the catalogue. `base` None: it isn't known to have come from there."""

    key: str
    entry: str
    base: Mapping[str, Any] | None = field(repr=False)
    here: Mapping[str, Any] = field(repr=False)
    shipped: Mapping[str, Any] = field(repr=False)

    @property
    def differences(self) -> list[Difference]:
        return compare(self.base, self.here, self.shipped)

    @property
    def is_outdated(self) -> bool:
        """Whether the catalogue has changed since somebody last looked through what is new there."""
        return self.base is not None and digest_of(self.base) != self.version

    @property
    def version(self) -> str:
        return digest_of(self.shipped)

    @property
    def fingerprint(self) -> str:
        """Stands for exactly these differences."""
        return hashlib.sha256(f"{self.version} {digest_of(self.here)}".encode()).hexdigest()[:32]


def comparison(key: str) -> Comparison:
    """The connector beside its entry. Raises `Connector.DoesNotExist`, `NotInCatalogue`."""
    connector = Connector.objects.with_definitions().defer("logo").get(key=key)
    origin = CatalogueOrigin.objects.filter(connector=connector).first()
    entry = origin.entry if origin else key
    base = origin.document if origin else None
    return Comparison(key, entry, base, connector_document(connector), shipped(entry, key))


def outdated_keys() -> Iterator[str]:
    """The keys of the connectors whose entry has changed since it was last looked through."""
    for origin in CatalogueOrigin.objects.select_related("connector").only("entry", "digest", "connector__key"):
        if newer(origin, origin.connector.key):
            yield origin.connector.key


def newer(origin: CatalogueOrigin, key: str) -> bool:
    """Whether the entry says something else than when the connector `key` was last compared with it."""
    known = ready_made.keys()
    return origin.entry in known and origin.digest != _version(origin.entry, key)


@lru_cache(maxsize=1024)
def _version(entry: str, key: str) -> str:
    return digest_of(shipped(entry, key))


def take(
    found: Comparison,
    places: Collection[str],
    *,
    confirmed: bool | str = False,
    actor: Any = None,
    progress: Progress = silent,
) -> Change:
    """Take the differences with these ids into the connector, and remember that the entry was looked through.

    All of it or nothing. Raises `Moved`, `DocumentRefused` or `WouldBreak`.
    """
    with transaction.atomic():
        Connector.objects.select_for_update().only("pk").get(key=found.key)
        now = comparison(found.key)
        if now.fingerprint != found.fingerprint:
            raise Moved(
                f"{found.key} or its entry in the catalogue has changed since the differences were shown. "
                "Nothing was taken. Look at them once more."
            )
        taken = [one for one in now.differences if one.id in places]
        with watched([found.key], confirmed=confirmed, actor=actor, progress=progress) as impacts:
            change = store_connector(_checked(merged(now.here, now.shipped, taken)))
        _remember(now.key, now.entry, now.shipped)
    effects: Sequence[str] = [line for impact in impacts for line in impact.lines()]
    return Change(change.before, change.after, tuple(effects))


def untouched(found: Comparison) -> list[str]:
    """The ids of what is new in the catalogue and touches nothing that was changed here."""
    return [one.id for one in found.differences if one.side is Side.CATALOGUE]
