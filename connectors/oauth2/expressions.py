"""What stands between `{{` and `}}`: names, texts and functions, joined, filtered and chosen from."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID, uuid4
from xml.sax.saxutils import escape as escape_xml

from connectors.oauth2.time_formats import format_time


class Drawn:
    """A random UUID, drawn when its text is first asked for: few renderings hold one."""

    __slots__ = ("_text",)

    def __init__(self) -> None:
        self._text = ""

    def __str__(self) -> str:
        self._text = self._text or str(uuid4())
        return self._text


@dataclass  # not frozen: several are made for every request and read
class Rendering:
    """What one rendering reads: values by name, one instant, one UUID. Its repr shows no value.

    `dpop_key` is the key that the instance's tokens are bound to already (a private JWK); no template reads it.
    """

    values: Mapping[str, str] = field(repr=False)
    now: datetime
    uuid: UUID | Drawn = field(default_factory=Drawn)
    dpop_key: str = field(default="", repr=False)

    def with_values(self, values: Mapping[str, str]) -> "Rendering":
        """The same instant and UUID, with further values."""
        # Not replace(), which looks up every field by name.
        return Rendering({**self.values, **values}, self.now, self.uuid, self.dpop_key)


@dataclass(frozen=True)
class Name:
    name: str

    def render(self, rendering: Rendering) -> str:
        return rendering.values.get(self.name, "")


@dataclass(frozen=True)
class Text:
    value: str

    def render(self, rendering: Rendering) -> str:
        return self.value


@dataclass(frozen=True)
class Uuid:
    def render(self, rendering: Rendering) -> str:
        return str(rendering.uuid)


@dataclass(frozen=True)
class Now:
    """The rendering's instant, moved by `offset`: as epoch seconds, or in `format`."""

    format: str | None
    offset: timedelta

    def render(self, rendering: Rendering) -> str:
        return format_time(rendering.now + self.offset, "%s" if self.format is None else self.format)


@dataclass(frozen=True)
class Join:
    parts: "tuple[Atom, ...]"

    def render(self, rendering: Rendering) -> str:
        return "".join(part.render(rendering) for part in self.parts)


Atom = Name | Text | Uuid | Now | Join
Filter = Callable[[str], str]


@dataclass(frozen=True)
class Term:
    atom: Atom
    filters: tuple[Filter, ...] = ()

    def render(self, rendering: Rendering) -> str:
        text = self.atom.render(rendering)
        for apply in self.filters:
            text = apply(text)
        return text


@dataclass(frozen=True)
class Expression:
    """Terms between `or`: the first that is not empty counts."""

    terms: tuple[Term, ...]

    def render(self, rendering: Rendering) -> str:
        for term in self.terms:
            if text := term.render(rendering):
                return text
        return ""

    @property
    def ends_in_empty_text(self) -> bool:
        """Whether the expression ends in `or ""`: then an empty result is meant."""
        return len(self.terms) > 1 and self.terms[-1] == Term(Text(""))

    @property
    def names(self) -> frozenset[str]:
        """Every name that the expression refers to."""
        return frozenset(name for term in self.terms for name in _names(term.atom))


def _names(atom: Atom) -> Iterator[str]:
    if isinstance(atom, Name):
        yield atom.name
    elif isinstance(atom, Join):
        for part in atom.parts:
            yield from _names(part)


def joined_with(separator: str) -> Filter:
    """The filter `join("…")`: splits at spaces, commas and line breaks, and joins again."""

    def join(text: str) -> str:
        return separator.join(part for part in re.split(r"[\s,]+", text) if part)

    return join


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _urlencode(text: str) -> str:
    return quote(text, safe="")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


# A reader of XML turns line breaks and tabs into others or into spaces (XML 1.0 sections 2.11 and 3.3.3) unless they
# are written as references.
_XML_ENTITIES = {'"': "&quot;", "'": "&apos;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}


def _xml(text: str) -> str:
    return escape_xml(text, _XML_ENTITIES)


FILTERS: dict[str, Filter] = {
    "base64": _base64,
    "urlencode": _urlencode,
    "sha256": _sha256,
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "json": _json,
    "xml": _xml,
}
