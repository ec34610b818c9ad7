"""Requests and answers as lines for a person: exact, secrets covered, values marked with where they came from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from pydantic import JsonValue

from connectors.oauth2.answers import read_answer
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.oauth2.marking import MASK, Line, Marker, Segment, decoded_basic, plain
from connectors.oauth2.sensitive import MAX_READ, is_sensitive, sensitive_in

MAX_SHOWN = 8_000
_COVER = "\ue000"  # stands for a covered text while an answer is written out


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer: its first line, its header fields, its body. Nothing in it is secret."""

    start: Line
    headers: tuple[Line, ...]
    body: tuple[Line, ...]
    is_cut: bool = False

    def lines(self) -> tuple[Line, ...]:
        empty: tuple[Line, ...] = ((),) if self.body else ()
        return (self.start, *self.headers, *empty, *self.body)


def shown_request(request: HttpRequest, marker: Marker) -> Message:
    return Message(
        start=_noted(
            (Segment(f"{request.method} "), *marker.mark(request.url)),
            "" if request.certificate is None else "the client certificate is presented",
        ),
        headers=tuple(_sent_field(name, value, marker) for name, value in request.headers.fields),
        body=tuple(_sent_body(request, marker)),
    )


def _sent_field(name: str, value: str, marker: Marker) -> Line:
    scheme, _, credentials = value.partition(" ")
    if name.lower() != "authorization" or not credentials:
        return (Segment(f"{name}: "), *marker.mark(value))
    covered = marker.mark(credentials)
    names = tuple(dict.fromkeys(name for segment in covered for name in segment.names))
    decoded = decoded_basic(credentials) if scheme.lower() == "basic" else ""
    identity, colon, _ = decoded.partition(":")
    shown = plain(marker.mark(unquote(identity)))
    note = f"base64 of {shown}:{MASK}" if colon else ""
    return (Segment(f"{name}: {scheme} "), Segment(MASK, names, is_masked=True, note=note))


def _sent_body(request: HttpRequest, marker: Marker) -> Iterator[Line]:
    text = (request.body or b"").decode(errors="replace")
    media_type = request.headers.get("Content-Type").partition(";")[0].strip().lower()
    if not text:
        return
    if media_type == "application/x-www-form-urlencoded":
        # Exactly as it is sent, one parameter a line.
        for index, pair in enumerate(text.split("&")):
            yield (*((Segment("&"),) if index else ()), *marker.mark(pair))
        return
    yield from _lines(marker.mark(_indented(text)))


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def shown_answer(response: HttpResponse, marker: Marker, *, found: dict[str, str] | None = None) -> Message:
    """`found`: what was read where, as a word by path, such as {"access_token": "the token"}."""
    places = found or {}
    body, is_cut = _received_body(response, marker, places)
    return Message(
        start=(Segment(f"{response.status} {_phrase(response.status)}".strip()),),
        headers=tuple(_received_field(name, value, marker, places) for name, value in response.headers.fields),
        body=body,
        is_cut=is_cut,
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _received_field(name: str, value: str, marker: Marker, found: dict[str, str]) -> Line:
    note = next((word for path, word in found.items() if path.lower() == f"header:{name.lower()}"), "")
    if is_sensitive(name, value):
        return (Segment(f"{name}: "), Segment(MASK, is_masked=True, note=note or _length(value)))
    return (Segment(f"{name}: "), *_noted(marker.cover(value), note))


def _noted(line: Line, note: str) -> Line:
    return (*line, Segment("", note=note)) if note else line


def _received_body(response: HttpResponse, marker: Marker, found: dict[str, str]) -> tuple[tuple[Line, ...], bool]:
    answer = read_answer(response)
    written, notes = _written(answer.tree, found)
    if written:
        text = written
        segments = _uncovered(text[:MAX_READ], marker, notes)
    else:
        text = answer.text
        segments = marker.cover(text[:MAX_READ])
        for piece in sorted(sensitive_in(text[:MAX_READ]), key=len, reverse=True):
            segments = tuple(part for segment in segments for part in _without(segment, piece))
        segments = _noted(segments, found.get("$", ""))
    lines = list(_lines(segments))
    shown = list(_limited(lines))
    return tuple(shown), len(shown) < len(lines) or len(text) > MAX_READ


def _written(tree: JsonValue, found: dict[str, str]) -> tuple[str, list[str]]:
    """An answer's data, written out with covers, and what is to be said at each; empty where it is no such data."""
    notes: list[str] = []
    if not isinstance(tree, dict | list):
        return "", notes
    try:
        covered = _covered(tree, "", "", found, notes)
        return json.dumps(covered, indent=2, ensure_ascii=False, default=str), notes
    except RecursionError:
        return "", []


def _covered(node: JsonValue, path: str, name: str, found: dict[str, str], notes: list[str]) -> Any:
    """The data, with a cover in place of what must not be shown and beside what was found."""
    if isinstance(node, dict):
        return {
            _clean(key): _covered(item, f"{path}.{key}" if path else key, key, found, notes)
            for key, item in node.items()
        }
    if isinstance(node, list):
        return [
            _covered(item, f"{path}.{index}" if path else str(index), name, found, notes)
            for index, item in enumerate(node)
        ]
    note = found.get(path, "")
    if isinstance(node, str) and (note == TOKEN or is_sensitive(name, node)):
        notes.append(", ".join(part for part in (note, _length(node)) if part))
        return _COVER
    if isinstance(node, str):
        node = _clean(node)
    if note:
        notes.append(note)
        return f"{_COVER}{json.dumps(node, ensure_ascii=False, default=str)}"
    return node


TOKEN = "the token"  # noqa: S105 (a word for people)


def _clean(text: str) -> str:
    """Without half characters, which can't be shown, and without our own cover."""
    return text.replace(_COVER, "?").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _length(text: str) -> str:
    return f"{len(text):,} characters"


def _uncovered(text: str, marker: Marker, notes: list[str]) -> Line:
    """The pieces of a text that was written out with covers."""
    segments: list[Segment] = []
    waiting = list(notes)
    for index, piece in enumerate(text.split(f'"{_COVER}')):
        if index == 0:
            segments += marker.cover(piece)
            continue
        note = waiting.pop(0) if waiting else ""
        if piece.startswith('"'):
            segments += [Segment('"'), Segment(MASK, is_masked=True, note=note), *marker.cover(piece)]
            continue
        value, rest = _unquoted(piece)
        segments += [*marker.cover(value), Segment("", note=note), *marker.cover(rest)]
    return tuple(segments)


def _unquoted(piece: str) -> tuple[str, str]:
    """A noted value, which was written out inside a text, and what follows it."""
    try:
        inner, end = json.JSONDecoder().raw_decode(f'"{piece}')
    except ValueError:
        return "", piece
    return str(inner), f'"{piece}'[end:]


def _without(segment: Segment, piece: str) -> Iterator[Segment]:
    if segment.is_masked or piece not in segment.text:
        yield segment
        return
    for index, part in enumerate(segment.text.split(piece)):
        if index:
            yield Segment(MASK, is_masked=True, note=_length(piece))
        if part:
            yield Segment(part, segment.names)


def _lines(segments: Line) -> Iterator[Line]:
    """The segments, broken into lines where their texts have line breaks."""
    line: list[Segment] = []
    for segment in segments:
        first, *further = segment.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        line.append(Segment(first, segment.names, segment.is_masked, "" if further else segment.note))
        for text in further:
            yield tuple(one for one in line if one.text or one.note)
            line = [Segment(text, segment.names, segment.is_masked)]
    yield tuple(one for one in line if one.text or one.note)


def _limited(lines: list[Line]) -> Iterator[Line]:
    left = MAX_SHOWN
    for line in lines:
        if left <= 0:
            return
        text = plain(line)
        yield line if len(text) <= left else (Segment(text[:left] + "…"),)
        left -= len(text) + 1
