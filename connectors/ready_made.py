"""The catalogue: connectors that come with the platform, each a document in `connectors/catalogue/KEY.yaml`."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from connectors.oauth2 import definition
from connectors.validation import validated
from connectors.yaml_text import read_documents

FOLDER = Path(__file__).resolve().parent / "catalogue"


class NotInCatalogue(LookupError):
    """Keys that the catalogue doesn't hold; the message says which come near."""


class CatalogueBroken(Exception):
    """A file of the catalogue is no connector; the message says what is wrong. Its tests keep this from happening."""


def keys() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def file_of(key: str) -> Path:
    """Where an entry stands. Raises `NotInCatalogue`."""
    known = keys()
    if key not in known:
        close = " or ".join(get_close_matches(key, known, n=2))
        nearest = f"Did you mean {close}? " if close else ""
        raise NotInCatalogue(
            f"The catalogue has no connector “{key}”. {nearest}`manage.py connectors catalogue` lists what it holds."
        )
    return FOLDER / f"{key}.yaml"


@cache
def entry(key: str) -> definition.Connector:
    """An entry of the catalogue. Raises `NotInCatalogue`, `CatalogueBroken`."""
    file = file_of(key)
    nodes, findings = read_documents(file.read_bytes())
    problems = [str(finding.problem) for finding in findings]
    if not problems and len(nodes) != 1:
        problems = [f"it holds {len(nodes)} documents instead of one"]
    if not problems:
        document, found = validated(definition.Connector, nodes[0].value)
        if document is not None and document.key == key:
            return document
        problems = [str(problem) for problem in found] or [f"its key is not {key}"]
    raise CatalogueBroken(f"{file.name} can't be used: {' '.join(problems)}")


def by_category() -> Iterator[tuple[str, list[definition.Connector]]]:
    """All entries: by category, in it by name. Raises `CatalogueBroken`."""
    grouped: dict[str, list[definition.Connector]] = {}
    for key in keys():
        found = entry(key)
        grouped.setdefault(found.category, []).append(found)
    for category in sorted(grouped):
        yield category, sorted(grouped[category], key=lambda found: found.name.casefold())
