"""Texts in which values are marked with where they came from, and secrets are covered.

A value is found by what it is, however it is spelled; so nothing depends on who put it there.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from connectors.oauth2.expressions import Expression, Rendering
from connectors.oauth2.http import HttpRequest
from connectors.oauth2.method import Method
from connectors.oauth2.sensitive import JWT, is_sensitive
from connectors.oauth2.spellings import inside_base64, secret_spellings, spelling
from connectors.oauth2.templates import parse

MASK = "•••"
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]*")
_TELLS_NOTHING = frozenset({"token_type", "expires_at"})
_MAX_RUN = 10_000  # characters
Names = tuple[str, ...]
_Stretch = tuple[int, int, Names]


@dataclass(frozen=True, slots=True)
class Known:
    """A value that may turn up in a text, and the variables that it came from. Its repr doesn't show it."""

    value: str = field(repr=False)
    names: Names
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a line: `names` are the variables it came from, `note` what else is to be said of it.

    Where it `is_masked`, its text is dots.
    """

    text: str
    names: Names = ()
    is_masked: bool = False
    note: str = ""


Line = tuple[Segment, ...]


def plain(line: Iterable[Segment]) -> str:
    """The line's text, secrets covered."""
    return "".join(segment.text for segment in line)


def known_of(method: Method, rendering: Rendering, bought: Mapping[str, str] | None = None) -> tuple[Known, ...]:
    """Everything that can turn up in an exchange: values, what placeholders come to, and what was bought."""
    further = bought or {}
    rendering = rendering.with_values(further)
    secret = method.secret_keys | {name for name, value in further.items() if _is_secret(name, value)}
    secret |= method.step_names()  # as good as a session
    secret |= {
        name for name in rendering.values if name not in method.by_key and _is_secret(name, rendering.values[name])
    }
    known = [Known(value, (name,), name in secret) for name, value in rendering.values.items() if value]
    for text in method.texts():
        for part in parse(text.source).parts:
            if isinstance(part, Expression) and part.names and (value := part.render(rendering)):
                names = tuple(name for name in rendering.values if name in part.names)
                known.append(Known(value, names, not secret.isdisjoint(part.names)))
    return tuple(known)


def known_from(request: HttpRequest, known: Sequence[Known]) -> tuple[Known, ...]:
    """The credentials of a request's Authorization header: as good as a secret, and an answer may repeat them."""
    return tuple(
        Known(credentials, _sources(credentials, known), is_secret=True)
        for sent in request.headers.all("Authorization")
        if (credentials := sent.partition(" ")[2].strip() or sent)
    )


def _sources(credentials: str, known: Sequence[Known]) -> Names:
    text = f"{credentials} {unquote(decoded_basic(credentials))}"
    return tuple(dict.fromkeys(name for one in known if one.value in text for name in one.names))


def decoded_basic(credentials: str) -> str:
    """What stands behind `Basic`, decoded; empty where it is no base64."""
    try:
        return b64decode(credentials, validate=True).decode()
    except ValueError:
        return ""


def _is_secret(name: str, value: str) -> bool:
    return name == "access_token" or (name not in _TELLS_NOTHING and is_sensitive(name.rpartition(".")[2], value))


class Marker:
    """Marks texts with what is known. Keeps secrets: it lives no longer than what it is used for."""

    def __init__(self, known: Sequence[Known]) -> None:
        secrets: dict[str, Names] = {}
        values: dict[str, Names] = {}
        for one in known:
            if one.value.strip():
                table = secrets if one.is_secret else values
                table[one.value] = tuple(dict.fromkeys((*table.get(one.value, ()), *one.names)))
        self._secrets = [
            (re.compile(source), names) for secret, names in secrets.items() for source in secret_spellings(secret)
        ]
        self._inside = [
            (re.compile(re.escape(text)), names) for secret, names in secrets.items() for text in inside_base64(secret)
        ]
        longest_first = sorted(values.items(), key=lambda item: -len(item[0]))
        self._names = [names for _, names in longest_first]
        self._values = re.compile("|".join(f"({spelling(value)})" for value, _ in longest_first) or r"(?!)")

    def __repr__(self) -> str:
        return "Marker()"

    def mark(self, text: str) -> Line:
        """`text` in pieces: secrets covered, other values marked. However secrets overlap, nothing of them is left."""
        segments: list[Segment] = []
        position = 0
        for start, end, names in self._covered(text):
            segments += self._marked(text[position:start])
            segments.append(Segment(MASK, names, is_masked=True, note="" if names else "signed token"))
            position = end
        return (*segments, *self._marked(text[position:]))

    def cover(self, text: str) -> Line:
        """`text` in pieces: secrets covered, and nothing else marked."""
        return tuple(segment if segment.is_masked else Segment(segment.text) for segment in self.mark(text))

    def masked(self, text: str) -> str:
        return plain(self.mark(text))

    def _covered(self, text: str) -> list[_Stretch]:
        """The stretches that hold secrets: in order, and apart from each other."""
        stretches: list[_Stretch] = [(*match.span(), ()) for match in JWT.finditer(text)]
        for pattern, names in self._secrets:
            stretches += [(*span, names) for span in _overlapping(pattern, text)]
        for pattern, names in self._inside:
            # All of the base64 goes: what stands beside the secret would give its ends away.
            stretches += [(*_widened(text, *span), names) for span in _overlapping(pattern, text)]
        merged: list[_Stretch] = []
        for start, end, names in sorted(stretches):
            if merged and start < merged[-1][1]:
                begin, last, before = merged.pop()
                merged.append((begin, max(last, end), tuple(dict.fromkeys((*before, *names)))))
            else:
                merged.append((start, end, names))
        return merged

    def _marked(self, text: str) -> Iterator[Segment]:
        position = 0
        for match in self._values.finditer(text):
            if match.start() > position:
                yield Segment(text[position : match.start()])
            yield Segment(match[0], self._names[(match.lastindex or 1) - 1])
            position = match.end()
        if position < len(text):
            yield Segment(text[position:])


def _overlapping(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Every occurrence, those that overlap another one too, as "aa" does in "aaa"."""
    position = 0
    while (match := pattern.search(text, position)) is not None and match.end() > match.start():
        yield match.span()
        position = match.start() + 1


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole run of base64 around a stretch."""
    before = _BASE64.match(text[max(0, start - _MAX_RUN) : start][::-1])
    behind = _BASE64.match(text, end, end + _MAX_RUN)
    return start - (before.end() if before else 0), behind.end() if behind else end
