"""A draft: a connector's document that somebody still looks over, and what could not be read of its source."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from connectors.oauth2 import definition
from connectors.oauth2.checks import check_connector
from connectors.oauth2.problems import Problem, dotted
from connectors.validation import validated
from connectors.yaml_writing import write_documents

_LONGEST_REMARK = 600  # characters: a remark may quote what others wrote
_MOST_REMARKS = 40
# What YAML can't hold as it stands, even in a comment; half of a surrogate pair comes of JSON's escapes.
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class NotReadable(ValueError):
    """The source is nothing that a draft can be made of; the message says why and what would do."""


@dataclass(frozen=True)
class Draft:
    """`remarks`: what was not read, or is to be looked at. `missing`: what `connectors check` would still refuse."""

    source: str
    document: dict[str, Any]
    remarks: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def yaml(self) -> str:
        """The document as a file, with what is left to do as comments above it."""
        return "".join(f"{line}\n" for line in self._comments()) + write_documents([self.document])

    def _comments(self) -> Iterator[str]:
        yield f"# Drafted from {one_line(self.source)}. Look it over before you import it."
        for heading, entries in (("Still to fill in", self.missing), ("Please check", self.remarks)):
            if entries:
                yield f"# {heading}:"
                yield from (f"# - {entry}" for entry in entries)


def finished(source: str, document: dict[str, Any], remarks: Iterable[str]) -> Draft:
    """The draft, and what the document still lacks in the eyes of `connectors check`."""
    document = _storable(document)
    shape, problems = validated(definition.Connector, document)
    found = problems if shape is None else check_connector(shape)
    missing = [one_line(_sentence(problem)) for problem in found]
    return Draft(source, document, _few(one_line(remark) for remark in remarks), _few(missing))


def _few(sentences: Iterable[str]) -> tuple[str, ...]:
    """As many as somebody reads, none twice."""
    different = list(dict.fromkeys(sentences))
    left = len(different) - _MOST_REMARKS
    return (*different[:_MOST_REMARKS], *([f"… and {left} more like these."] if left > 0 else []))


def _storable(value: Any) -> Any:
    """The value without characters that neither YAML nor a database can hold as they stand."""
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return _UNPRINTABLE.sub("", value) if isinstance(value, str) else value


def _sentence(problem: Problem) -> str:
    path = dotted(problem.path)
    return f"{path}: {problem}" if path else str(problem)


def clean(text: object, longest: int = 2000) -> str:
    """What others wrote as a text that a document can hold; empty if it is no text."""
    if not isinstance(text, str):
        return ""
    kept = _UNPRINTABLE.sub("", text.replace("\r\n", "\n")).strip()
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


def one_line(text: object, longest: int = _LONGEST_REMARK) -> str:
    """The same on one line."""
    return clean(" ".join(clean(text, longest * 4).split()), longest)


def without_empty(mapping: dict[str, Any]) -> dict[str, Any]:
    """The mapping without keys that say nothing."""
    return {key: value for key, value in mapping.items() if value not in ("", [], {}, None)}
