"""YAML text → documents that know on which line everything stands.

Built from the parser's events rather than by a constructor: nothing in a file can make an object, a file can't blow up
in memory, and whatever is wrong has its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from connectors.oauth2.problems import Path, Problem
from connectors.yaml_errors import syntax_mark, syntax_problem
from connectors.yaml_events import events
from connectors.yaml_scalars import AmbiguousScalar, read_plain

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 20_000

# A byte order mark (U+FEFF) inside a file, as `cat` leaves it between two, can't be seen and is no space either.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_TEXT_TAG = "tag:yaml.org,2002:str"


class Mark(NamedTuple):
    """A place in a file; both count from one."""

    line: int
    column: int


class Finding(NamedTuple):
    """A problem and where in the file it stands."""

    mark: Mark
    problem: Problem


@dataclass
class Node:
    """A value of a document. `written` is a scalar's text as it stands; `children` know their keys' places."""

    mark: Mark
    value: Any
    written: str = ""
    children: "dict[str | int, tuple[Mark, Node]]" = field(default_factory=dict)
    weight: int = 1

    def find(self, path: Path) -> "tuple[Mark, Node | None]":
        """The node at `path` and its place; where there is none, the place of the nearest above."""
        mark, node = self.mark, self
        for part in path:
            if part not in node.children:
                return mark, None
            mark, node = node.children[part]
        return mark, node


class _Refused(Exception):
    """The rest of the file is not looked at."""

    def __init__(self, mark: Mark, problem: Problem) -> None:
        super().__init__()
        self.finding = Finding(mark, problem)


def read_documents(
    content: bytes, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES
) -> tuple[list[Node], list[Finding]]:
    """The documents of a file, empty ones apart, and all that is wrong with its text."""
    try:
        text = _decoded(content, max_bytes)
    except _Refused as refused:
        return [], [refused.finding]
    documents: list[Node] = []
    findings: list[Finding] = []
    try:
        for event in (found := events(text)):
            if isinstance(event, DocumentStartEvent):
                _check_version(event)
                builder = _Builder(findings, max_nodes)
                node = builder.build(found)
                if node is not None and node.value is not None:
                    documents.append(node)
    except _Refused as refused:
        findings.append(refused.finding)
    except MarkedYAMLError as error:
        mark = syntax_mark(error)
        findings.append(Finding(_mark(mark) if mark else Mark(1, 1), syntax_problem(error)))
    except (YAMLError, ValueError):
        findings.append(Finding(Mark(1, 1), Problem((), "This is no YAML.", "Check the file's first lines.")))
    if not documents and not findings:
        problem = Problem((), "The file holds no document.", "Begin one with `kind: connector` or `kind: integration`.")
        findings.append(Finding(Mark(1, 1), problem))
    return documents, findings


def _decoded(content: bytes, max_bytes: int) -> str:
    if len(content) > max_bytes:
        problem = Problem((), f"The file is larger than {max_bytes:,} bytes.", "Split it into several files.")
        raise _Refused(Mark(1, 1), problem)
    bad: int | None = None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts from behind a byte order mark.
        bad = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
    if bad is not None:
        before = content[:bad].decode("utf-8-sig", errors="replace")
        raise _Refused(_place(before), Problem((), "The file is not UTF-8 text.", "Save it as UTF-8."))
    control = _UNPRINTABLE.search(text)
    if control is not None:
        problem = Problem(
            (),
            f"The file holds the invisible character U+{ord(control[0]):04X}.",
            f'Remove it, or write "\\u{ord(control[0]):04x}" in double quotes.',
        )
        raise _Refused(_place(text[: control.start()]), problem)
    return text


def _place(before: str) -> Mark:
    lines = re.split(r"\r\n|\r|\n", before)
    return Mark(len(lines), len(lines[-1]) + 1)


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _check_version(event: DocumentStartEvent) -> None:
    if event.version is not None and tuple(event.version) != (1, 2):
        version = ".".join(str(part) for part in event.version)
        problem = Problem((), f"The file asks for YAML {version}; it is read as YAML 1.2.", "Remove the %YAML line.")
        raise _Refused(_mark(event.start_mark), problem)


@dataclass
class _Open:
    """A mapping or sequence whose end hasn't come yet."""

    node: Node
    path: Path
    anchor: str | None
    key: tuple[Mark, str] | None = None
    key_is_bad: bool = False


class _Builder:
    """Puts one document together."""

    def __init__(self, findings: list[Finding], max_nodes: int) -> None:
        self._findings = findings
        self._max_nodes = max_nodes
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._root: Node | None = None

    def build(self, events: Iterator[Event]) -> Node | None:
        """The document that `events` go on with, up to its end."""
        for event in events:
            if isinstance(event, DocumentEndEvent):
                break
            if isinstance(event, CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, NodeEvent):
                self._take(event)
            else:
                self._end()
        return self._root

    def _take(self, event: NodeEvent) -> None:
        current = self._open[-1] if self._open else None
        if current is not None and isinstance(current.node.value, dict) and current.key is None:
            current.key = self._key(current, event)
        elif isinstance(event, AliasEvent):
            self._place(self._aliased(event), _mark(event.start_mark))
        elif isinstance(event, ScalarEvent):
            node = self._scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = node
            self._place(node, node.mark)

    def _begin(self, event: CollectionStartEvent) -> None:
        mark = _mark(event.start_mark)
        current = self._open[-1] if self._open else None
        if current is not None and isinstance(current.node.value, dict) and current.key is None:
            remedy = "A {{placeholder}} belongs in quotes; so does a key of several words."
            raise _Refused(mark, Problem(current.path, "A bracket or brace stands where a key belongs.", remedy))
        if len(self._open) >= MAX_DEPTH:
            raise _Refused(mark, Problem((), f"This is nested more than {MAX_DEPTH} levels deep.", "Flatten it."))
        self._check_tag(event)
        if event.anchor:
            self._anchors[event.anchor] = None  # known, but not ready: an alias inside would lead back to itself
        node = Node(mark, {} if isinstance(event, MappingStartEvent) else [])
        self._open.append(_Open(node, self._path(), event.anchor))

    def _end(self) -> None:
        ended = self._open.pop()
        if ended.anchor:
            self._anchors[ended.anchor] = ended.node
        self._place(ended.node, ended.node.mark)

    def _path(self) -> Path:
        """Where the next value stands."""
        if not self._open:
            return ()
        current = self._open[-1]
        if isinstance(current.node.value, list):
            return (*current.path, len(current.node.value))
        return (*current.path, current.key[1]) if current.key else current.path

    def _place(self, node: Node, mark: Mark) -> None:
        if not self._open:
            self._root = node
            return
        current = self._open[-1]
        # Counted as if every alias were written out: that is what everything behind us would have to handle.
        current.node.weight += node.weight
        if current.node.weight > self._max_nodes:
            problem = Problem((), f"The document holds more than {self._max_nodes:,} values, aliases written out.")
            raise _Refused(mark, problem)
        if isinstance(current.node.value, list):
            current.node.children[len(current.node.value)] = (mark, node)
            current.node.value.append(node.value)
        elif current.key is not None:
            key_mark, key = current.key
            if not current.key_is_bad:
                current.node.children[key] = (key_mark, node)
                current.node.value[key] = node.value
            current.key, current.key_is_bad = None, False

    def _key(self, current: _Open, event: NodeEvent) -> tuple[Mark, str]:
        mark = _mark(event.start_mark)
        problem: Problem | None = None
        key = ""
        if isinstance(event, AliasEvent):
            problem = Problem(current.path, "A key can't be an alias.", "Write it out.")
        elif isinstance(event, ScalarEvent):
            key = event.value
            if key == "<<" and event.style is None:
                problem = Problem(
                    current.path, "Merge keys (<<) are not part of YAML 1.2.", "Write the keys out that it stands for."
                )
            elif key in current.node.children:
                first = current.node.children[key][0].line
                problem = Problem(
                    (*current.path, key), f"The key `{key}` is there twice, first on line {first}.", "Remove one."
                )
            elif not isinstance(self._scalar(event).value, str):
                remedy = f'Write "{key}" in quotes.' if key else "Write a key before the colon."
                problem = Problem(current.path, "A key must be a text.", remedy)
        if problem is not None:
            current.key_is_bad = True
            self._findings.append(Finding(mark, problem))
        return mark, key

    def _scalar(self, event: ScalarEvent) -> Node:
        mark = _mark(event.start_mark)
        tagged = self._check_tag(event)
        value: Any = event.value
        if not tagged and event.style is None:
            try:
                value = read_plain(event.value)
            except AmbiguousScalar as error:
                self._findings.append(Finding(mark, Problem(self._path(), error.message, error.remedy)))
        if isinstance(value, str):
            value = self._storable(value, mark)
        return Node(mark, value, event.value)

    def _storable(self, text: str, mark: Mark) -> str:
        """The text, if a database can hold it; a pair of escaped surrogates is put together as JSON does."""
        try:
            joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            joined = "\0"
        if "\0" in joined:
            wrong = "The text holds a character that can't be stored (NUL or half a pair)."
            problem = Problem(self._path(), wrong, "Remove it.")
            self._findings.append(Finding(mark, problem))
            return ""
        return joined

    def _aliased(self, event: AliasEvent) -> Node:
        mark = _mark(event.start_mark)
        name = event.anchor or ""
        node = self._anchors.get(name)
        if node is None:
            wrong = "leads back to itself" if name in self._anchors else "names nothing above"
            raise _Refused(mark, Problem(self._path(), f"The alias *{name} {wrong}.", "Write the value out."))
        return node

    def _check_tag(self, event: NodeEvent) -> bool:
        """Whether the value is tagged as a text: `!!str 12`."""
        tag = getattr(event, "tag", None)
        if tag is not None and (str(tag) != _TEXT_TAG or not isinstance(event, ScalarEvent)):
            problem = Problem(self._path(), "Tags (beginning with `!`) have no meaning here.", "Remove it.")
            self._findings.append(Finding(_mark(event.start_mark), problem))
        return tag is not None
