"""`{{placeholders}}`: checked when a definition is saved, filled in when it is used.

    placeholder = "{{" expr "}}"      expr = term {" or " term}          term = atom {"|" filter}
    atom = name | "text" | function | "(" atom {"~" atom} ")"

A name is looked up whole and never evaluated; there are no statements, loops or arithmetic.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NoReturn
from urllib.parse import quote
from uuid import UUID
from xml.sax.saxutils import escape as escape_xml

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")


class TemplateError(ValueError):
    """A template that can't be read. `message` says what is wrong, `remedy` what to write instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True)
class Rendering:
    """What one rendering reads: values by name, one instant, one UUID. Its repr shows no value."""

    values: Mapping[str, str] = field(repr=False)
    now: datetime
    uuid: UUID

    def with_values(self, values: Mapping[str, str]) -> "Rendering":
        """The same instant and UUID, with further values."""
        return Rendering({**self.values, **values}, self.now, self.uuid)


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
    format: str | None
    offset: timedelta

    def render(self, rendering: Rendering) -> str:
        moment = rendering.now + self.offset
        return str(int(moment.timestamp())) if self.format is None else moment.strftime(self.format)


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
    terms: tuple[Term, ...]

    def render(self, rendering: Rendering) -> str:
        return next((text for text in (term.render(rendering) for term in self.terms) if text), "")

    @property
    def ends_in_empty_text(self) -> bool:
        """Whether the expression ends in `or ""`: then an empty result is meant."""
        return len(self.terms) > 1 and self.terms[-1] == Term(Text(""))


@dataclass(frozen=True)
class Template:
    """A text with placeholders, ready to render. `parts` are literal texts and expressions in turn."""

    source: str
    parts: tuple[str | Expression, ...]

    @property
    def is_literal(self) -> bool:
        return not any(isinstance(part, Expression) for part in self.parts)

    @property
    def keeps_empty(self) -> bool:
        """Whether an empty result is sent: a literal `""`, or a template ending in `or ""`."""
        if not self.parts:
            return True
        last = self.parts[-1]
        return isinstance(last, Expression) and last.ends_in_empty_text

    @property
    def names(self) -> frozenset[str]:
        """Every name that the template refers to."""
        return frozenset(
            name
            for part in self.parts
            if isinstance(part, Expression)
            for term in part.terms
            for name in _names(term.atom)
        )

    def render(self, rendering: Rendering) -> str:
        return "".join(part if isinstance(part, str) else part.render(rendering) for part in self.parts)


def _names(atom: Atom) -> Iterator[str]:
    if isinstance(atom, Name):
        yield atom.name
    elif isinstance(atom, Join):
        for part in atom.parts:
            yield from _names(part)


@lru_cache(maxsize=4096)
def parse(source: str) -> Template:
    """Read a template. Raises `TemplateError`."""
    parts: list[str | Expression] = []
    position = 0
    while (opening := source.find("{{", position)) >= 0:
        if opening > position:
            parts.append(source[position:opening])
        reader = _Reader(source, opening + 2)
        parts.append(reader.expression())
        position = reader.close()
    if position < len(source):
        parts.append(source[position:])
    return Template(source, tuple(parts))


_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<name>{NAME.pattern})
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<close>\}}\}})
      | (?P<mark>[|()~,])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_WORDS = "a name, a \"text\", uuid(), now() or a parenthesis with '~'"
_MAX_DEPTH = 20


class _Reader:
    """Reads one expression, from just behind its `{{`."""

    def __init__(self, source: str, position: int) -> None:
        self.source = source
        self.start = position
        self.position = position

    def expression(self) -> Expression:
        terms = [self._term()]
        while self._peek() == ("name", "or"):
            self._take()
            terms.append(self._term())
        return Expression(tuple(terms))

    def close(self) -> int:
        """Take the `}}` and answer where the text goes on."""
        kind, text = self._take()
        if kind != "close":
            self._fail(f"“{text}” is not expected here" if text else "it has no closing }}")
        return self.position

    def _term(self) -> Term:
        atom = self._atom(0)
        filters: list[Filter] = []
        while self._peek() == ("mark", "|"):
            self._take()
            filters.append(self._filter())
        return Term(atom, tuple(filters))

    def _atom(self, depth: int) -> Atom:
        kind, text = self._take()
        if kind == "text":
            return Text(self._unquote(text))
        if kind == "name" and text != "or":
            return self._function(text) if self._peek() == ("mark", "(") else Name(text)
        if (kind, text) == ("mark", "("):
            if depth >= _MAX_DEPTH:
                self._fail("its parentheses are nested too deeply")
            return self._join(depth + 1)
        return self._fail(f"{_WORDS} is expected, not “{text or self._rest()}”")

    def _join(self, depth: int) -> Join:
        parts = [self._atom(depth)]
        while self._peek() == ("mark", "~"):
            self._take()
            parts.append(self._atom(depth))
        if self._peek() == ("mark", "|"):
            self._fail(
                "a filter can't stand inside parentheses", "Put it behind the closing parenthesis: (a ~ b)|base64."
            )
        self._expect(")")
        return Join(tuple(parts))

    def _function(self, name: str) -> Atom:
        arguments = self._arguments()
        if name == "uuid" and not arguments:
            return Uuid()
        if name == "now" and len(arguments) <= 2:
            return Now(
                arguments[0] if arguments else None, self._offset(arguments[1]) if len(arguments) > 1 else timedelta()
            )
        return self._fail(
            f"there is no function {name}({', '.join(['…'] * len(arguments))})",
            'The functions are uuid(), now(), now("%Y-%m-%d") and now("%Y-%m-%d", "+7d").',
        )

    def _offset(self, text: str) -> timedelta:
        match = re.fullmatch(r"([+-]\d{1,6})([smhdw])", text)
        if match is None:
            self._fail(f"“{text}” is no distance in time", 'Write for example "+7d", "-15m", "+1h" or "+30s".')
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[match[2]]
        distance = timedelta(**{unit: int(match[1])})
        if abs(distance) > timedelta(days=36525):
            self._fail(f"“{text}” is more than a hundred years")
        return distance

    def _filter(self) -> Filter:
        kind, name = self._take()
        if kind == "name" and name == "join":
            arguments = self._arguments()
            if len(arguments) != 1:
                self._fail("join takes one text", 'Write join(",").')
            return _joined_with(arguments[0])
        if kind == "name" and name in FILTERS:
            return FILTERS[name]
        return self._fail(
            f"there is no filter “{name}”", f"The filters are {', '.join(sorted([*FILTERS, 'join(…)']))}."
        )

    def _arguments(self) -> list[str]:
        self._expect("(")
        arguments: list[str] = []
        while self._peek() != ("mark", ")"):
            if arguments:
                self._expect(",")
            kind, text = self._take()
            if kind != "text":
                self._fail("an argument must be a text in double quotes")
            arguments.append(self._unquote(text))
        self._take()
        return arguments

    def _unquote(self, text: str) -> str:
        def unescaped(match: re.Match[str]) -> str:
            if match[1] not in _ESCAPES:
                self._fail(f"“\\{match[1]}” is no escape", 'The escapes are \\", \\\\, \\n and \\t.')
            return _ESCAPES[match[1]]

        return re.sub(r"\\(.)", unescaped, text[1:-1], flags=re.DOTALL)

    def _peek(self) -> tuple[str, str]:
        match = _TOKEN.match(self.source, self.position)
        return (match.lastgroup or "", match[match.lastgroup or 0]) if match else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        match = _TOKEN.match(self.source, self.position)
        if match is None:
            return "", self._rest()
        self.position = match.end()
        return token

    def _expect(self, mark: str) -> None:
        kind, text = self._take()
        if (kind, text) != ("mark", mark):
            self._fail(f"“{mark}” is expected, not “{text}”")

    def _rest(self) -> str:
        return self.source[self.position :].strip()[:20]

    def _fail(self, why: str, remedy: str = "") -> NoReturn:
        end = self.source.find("}}", self.start)
        shown = self.source[self.start - 2 : end + 2 if end >= 0 else self.start + 40]
        raise TemplateError(
            f"The placeholder {shown} can't be read: {why}.",
            remedy or 'Write {{name}}, {{name|filter}} or {{name or "text"}}; for two literal braces write {{"{{"}}.',
        )


def _joined_with(separator: str) -> Filter:
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


def _xml(text: str) -> str:
    return escape_xml(text, {'"': "&quot;", "'": "&apos;"})


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
