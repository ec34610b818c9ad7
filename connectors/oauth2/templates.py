"""`{{placeholders}}`: checked when a definition is saved, filled in when it is used.

    placeholder = "{{" expr "}}"      expr = term {" or " term}          term = atom {"|" filter}
    atom = name | "text" | function | "(" atom {"~" atom} ")"

A name is looked up whole and never evaluated; there are no statements, loops or arithmetic.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import NoReturn

from connectors.oauth2.expressions import (
    FILTERS,
    Atom,
    Expression,
    Filter,
    Join,
    Name,
    Now,
    Rendering,
    Term,
    Text,
    Uuid,
    joined_with,
)
from connectors.oauth2.time_formats import TimeFormatError, check_time_format

__all__ = ["NAME", "Rendering", "Template", "TemplateError", "parse"]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")


class TemplateError(ValueError):
    """A template that can't be read. `message` says what is wrong, `remedy` what to write instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True)
class Template:
    """A text with placeholders, ready to render. `parts` are literal texts and expressions in turn."""

    source: str
    parts: tuple[str | Expression, ...]

    @property
    def is_literal(self) -> bool:
        return not any(isinstance(part, Expression) for part in self.parts)

    @cached_property
    def keeps_empty(self) -> bool:
        """Whether an empty result is sent: a literal `""`, or a template ending in `or ""`."""
        if not self.parts:
            return True
        last = self.parts[-1]
        return isinstance(last, Expression) and last.ends_in_empty_text

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that the template refers to."""
        return frozenset(name for part in self.parts if isinstance(part, Expression) for name in part.names)

    def render(self, rendering: Rendering) -> str:
        return self._render(rendering)

    @cached_property
    def _render(self) -> Callable[[Rendering], str]:
        """How it is rendered: most are a text, or one name."""
        parts = self.parts
        if self.is_literal:
            text = "".join(map(str, parts))
            return lambda rendering: text
        if len(parts) == 1 and isinstance(parts[0], Expression):
            return parts[0].render
        return lambda rendering: "".join([part if isinstance(part, str) else part.render(rendering) for part in parts])


@lru_cache(maxsize=16_384)
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
_OFFSET = re.compile(r"([+-][0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36525)
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_WORDS = "a name, a \"text\", uuid(), now() or a parenthesis with '~'"
_MAX_DEPTH = 20
_MAX_SHOWN = 80


class _Reader:
    """Reads one expression, from just behind its `{{`."""

    def __init__(self, source: str, position: int) -> None:
        self.source = source
        self.start = position
        self.position = position

    def expression(self) -> Expression:
        terms = [self._term()]
        while self._peek() == ("name", "or"):
            before = self.position
            self._take()
            if not (self._is_space(before) and self._is_space(self.position)):
                self._fail("“or” needs a space on both sides")
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
        return self._fail(f"{_WORDS} is expected, not {self._shown(text)}")

    def _join(self, depth: int) -> Join:
        parts = [self._atom(depth)]
        while self._peek() == ("mark", "~"):
            self._take()
            parts.append(self._atom(depth))
        if self._peek() == ("mark", "|"):
            self._fail(
                "a filter can't stand inside parentheses", "Put it behind the closing parenthesis: (a ~ b)|base64."
            )
        if self._peek() == ("name", "or"):
            self._fail("“or” can't stand inside parentheses", "Write it outside of them: (a ~ b) or c.")
        self._expect(")")
        return Join(tuple(parts))

    def _function(self, name: str) -> Atom:
        arguments = self._arguments()
        if name == "uuid" and not arguments:
            return Uuid()
        if name == "now" and len(arguments) <= 2:
            form = self._time_format(arguments[0]) if arguments else None
            return Now(form, self._offset(arguments[1]) if len(arguments) > 1 else timedelta())
        return self._fail(
            f"there is no function {name}({', '.join(['…'] * len(arguments))})",
            'The functions are uuid(), now(), now("%Y-%m-%d") and now("%Y-%m-%d", "+7d").',
        )

    def _time_format(self, text: str) -> str:
        problem = ""
        try:
            check_time_format(text)
        except TimeFormatError as error:
            problem = str(error)
        if problem:
            self._fail(problem, 'Write for example now("%Y-%m-%dT%H:%M:%SZ"), or "%s" for epoch seconds; “%” is "%%".')
        return text

    def _offset(self, text: str) -> timedelta:
        match = _OFFSET.fullmatch(text)
        if match is None:
            self._fail(f"“{text}” is no distance in time", 'Write for example "+7d", "-15m", "+1h" or "+30s".')
        distance = timedelta(**{_UNITS[match[2]]: int(match[1])})
        if abs(distance) > _LONGEST:
            self._fail(f"“{text}” is more than a hundred years", 'Write for example "+7d", "-15m", "+1h" or "+30s".')
        return distance

    def _filter(self) -> Filter:
        kind, name = self._take()
        if kind == "name" and name == "join":
            arguments = self._arguments()
            if len(arguments) != 1:
                self._fail("join takes one text", 'Write join(",").')
            return joined_with(arguments[0])
        if kind == "name" and name in FILTERS:
            return FILTERS[name]
        return self._fail(
            f"there is no filter {self._shown(name)}", f"The filters are {', '.join(sorted([*FILTERS, 'join(…)']))}."
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
        match = _TOKEN.match(self.source, self.position)
        if match is None:
            return "", self.source[self.position :].strip()[:20]
        self.position = match.end()
        return match.lastgroup or "", match[match.lastgroup or 0]

    def _expect(self, mark: str) -> None:
        kind, text = self._take()
        if (kind, text) != ("mark", mark):
            self._fail(f"“{mark}” is expected, not {self._shown(text)}")

    def _is_space(self, position: int) -> bool:
        return self.source[position : position + 1].isspace()

    def _shown(self, text: str) -> str:
        return f"“{text}”" if text else "the end of the text"

    def _fail(self, why: str, remedy: str = "") -> NoReturn:
        end = self.source.find("}}", self.start)
        shown = self.source[self.start - 2 : end + 2 if end >= 0 else len(self.source)]
        shown = shown if len(shown) <= _MAX_SHOWN else shown[: _MAX_SHOWN - 1] + "…"
        raise TemplateError(
            f"The placeholder {shown} can't be read: {why}.",
            remedy or 'Write {{name}}, {{name|filter}} or {{name or "text"}}; for two literal braces write {{"{{"}}.',
        )
