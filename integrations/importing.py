"""Files → connectors and integrations, all or nothing."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, BinaryIO

from django.db import DatabaseError, IntegrityError, connection, transaction

from connectors.document_changes import Change
from connectors.documents import SOMEBODY_ELSE, check_document, remove_gone, write_connector
from connectors.impact import Progress, silent, watched
from connectors.oauth2 import definition
from connectors.oauth2.checks import check_connector
from connectors.oauth2.problems import Path, Problem, did_you_mean, dotted
from connectors.validation import validated
from connectors.yaml_text import MAX_BYTES, Mark, Node, read_documents
from integrations.documents import check_integration, known_methods, write_integration
from integrations.models import Component

Document = definition.Connector | definition.Integration
KINDS: dict[str, type[Document]] = {"connector": definition.Connector, "integration": definition.Integration}
STDIN = "-"


@dataclass(frozen=True)
class FileProblem:
    """A problem in a file; without a mark it is the file itself that can't be read."""

    file: str
    mark: Mark | None
    problem: Problem

    def __str__(self) -> str:
        place = f"{self.file}:{self.mark.line}:{self.mark.column}" if self.mark else self.file
        path = dotted(self.problem.path)
        return f"{place}: {path}: {self.problem}" if path else f"{place}: {self.problem}"


@dataclass
class _Entry:
    """A document of a file. `document` None: its shape is wrong. `told`: where values stand that can't be read."""

    file: str
    node: Node
    kind: str
    key: object
    document: Document | None = None
    told: Collection[Mark] = ()

    def problem(self, problem: Problem) -> FileProblem:
        return FileProblem(self.file, self.node.find(problem.path)[0], problem)

    def problems(self, found: Iterable[Problem]) -> Iterator[FileProblem]:
        """Those that are worth saying: of a value that can't be read, anything more would be about its stand-in."""
        for problem in found:
            node = self.node.find(problem.path)[1]
            if node is None or node.mark not in self.told:
                yield self.problem(problem)

    def written(self, path: Path) -> str:
        found = self.node.find(path)[1]
        return found.written if found is not None else ""


@dataclass
class Batch:
    """What several files hold together, and all that is wrong with it."""

    entries: list[_Entry] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)

    @property
    def connectors(self) -> list[definition.Connector]:
        found = [entry.document for entry in self.entries]
        return [document for document in found if isinstance(document, definition.Connector)]

    @property
    def integrations(self) -> list[definition.Integration]:
        found = [entry.document for entry in self.entries]
        return [document for document in found if isinstance(document, definition.Integration)]


def import_files(
    names: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    confirmed: bool | str = False,
    actor: Any = None,
    progress: Progress = silent,
) -> tuple[list[Change], list[FileProblem]]:
    """Store every document of the files, or none: then the problems say why.

    Raises `WouldBreak` where instances would no longer work and that is not `confirmed` (see `connectors.impact`).
    """
    try:
        with transaction.atomic():
            return _store(check_files(names, stdin=stdin), confirmed=confirmed, actor=actor, progress=progress)
    except IntegrityError:
        pass  # what it quotes of the rows is nobody's business
    return [], [FileProblem(", ".join(dict.fromkeys(names)), None, SOMEBODY_ELSE)]


def _store(
    batch: Batch, *, confirmed: bool | str, actor: Any, progress: Progress
) -> tuple[list[Change], list[FileProblem]]:
    if batch.problems:
        return [], batch.problems
    keys = [document.key for document in batch.connectors]
    with watched(keys, confirmed=confirmed, actor=actor, progress=progress) as impacts:
        changes = [write_connector(document) for document in batch.connectors]
        changes += [write_integration(document) for document in batch.integrations]
        # Last, when the integrations of this import no longer use them.
        for document in batch.connectors:
            remove_gone(document)
    effects = {impact.connector: impact.lines() for impact in impacts}
    return [_with_effects(change, effects) for change in changes], []


def _with_effects(change: Change, effects: Mapping[str, Sequence[str]]) -> Change:
    is_connector = change.after.get("kind") == "connector"
    return replace(change, effects=tuple(effects.get(change.after["key"], ()))) if is_connector else change


def check_files(names: Sequence[str], *, stdin: BinaryIO | None = None) -> Batch:
    """Read the files and find everything that keeps their documents from being stored. Writes nothing."""
    batch = Batch()
    for name in dict.fromkeys(names):
        _read(name, stdin or sys.stdin.buffer, batch)
    batch.problems += _check_duplicates(batch.entries)
    stored = is_migrated()
    methods = _methods(batch.entries, known_methods if stored else dict)
    integrations = [document.key for document in batch.integrations]
    freed = list(Component.objects.filter(integration__key__in=integrations)) if integrations and stored else []
    for entry in batch.entries:
        if isinstance(entry.document, definition.Connector):
            document = entry.document
            found: Sequence[Problem] = check_document(document, freed=freed) if stored else check_connector(document)
        elif isinstance(entry.document, definition.Integration):
            found = list(check_integration(entry.document, methods=methods))
        else:
            continue
        batch.problems += entry.problems(found)
    order = {name: index for index, name in enumerate(names)}
    batch.problems.sort(key=lambda found: (order[found.file], found.mark or Mark(0, 0)))
    return batch


def is_migrated() -> bool:
    """Whether there is a database to look into; files can be checked without one, as in a fresh clone or an editor."""
    try:
        return Component._meta.db_table in connection.introspection.table_names()
    except DatabaseError:
        return False


def _read(name: str, stdin: BinaryIO, batch: Batch) -> None:
    unreadable = ""
    try:
        content = stdin.read(MAX_BYTES + 1) if name == STDIN else _content(FilePath(name))
    except OSError as error:
        unreadable = error.strerror or "it can't be read"
    if unreadable:
        problem = Problem((), f"The file can't be read: {unreadable}.", "Check its name and its permissions.")
        batch.problems.append(FileProblem(name, None, problem))
        return
    nodes, findings = read_documents(content)
    batch.problems += [FileProblem(name, finding.mark, finding.problem) for finding in findings]
    told = {finding.mark for finding in findings}
    for node in nodes:
        entry, problems = _entry(name, node)
        entry.told = told
        batch.problems += entry.problems(problems)
        batch.entries.append(entry)


def _content(file: FilePath) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def _entry(file: str, node: Node) -> tuple[_Entry, list[Problem]]:
    data: Any = node.value
    if not isinstance(data, dict):
        remedy = "Write `kind: connector` or `kind: integration` and the other keys below each other."
        return _Entry(file, node, "", None), [Problem((), "A document is a mapping of keys to values.", remedy)]
    kind = data.get("kind")
    entry = _Entry(file, node, str(kind), data.get("key"))
    if "kind" not in data:
        return entry, [
            Problem((), "The document doesn't say its kind.", "Add `kind: connector` or `kind: integration`.")
        ]
    if not isinstance(kind, str) or kind not in KINDS:
        word = kind if isinstance(kind, str) else ""
        remedy = did_you_mean(word, KINDS).replace("The names that exist", "The kinds that exist")
        wrong = f"There is no kind “{kind[:60]}”." if isinstance(kind, str) else "The kind is no text."
        return entry, [Problem(("kind",), wrong, remedy)]
    document, problems = validated(KINDS[kind], data, written=entry.written)
    entry.document = document
    return entry, problems


def _check_duplicates(entries: Sequence[_Entry]) -> Iterator[FileProblem]:
    first: dict[tuple[str, str], _Entry] = {}
    for entry in entries:
        if not isinstance(entry.key, str) or entry.kind not in KINDS:
            continue
        other = first.setdefault((entry.kind, entry.key), entry)
        if other is not entry:
            line = other.node.find(("key",))[0].line
            message = f"The {entry.kind} {entry.key} is there already, in {other.file} on line {line}."
            yield entry.problem(Problem(("key",), message, "Remove one of the two, or give it a key of its own."))


def _methods(
    entries: Sequence[_Entry], stored: Callable[[], dict[str, Collection[str] | None]]
) -> dict[str, Collection[str] | None]:
    """What integrations can refer to once the import is done. Nothing is looked up if there is no integration."""
    if not any(entry.kind == "integration" for entry in entries):
        return {}
    known = stored()
    for entry in entries:
        if isinstance(entry.document, definition.Connector):
            known[entry.document.key] = [method.key for method in entry.document.auth_methods]
        elif entry.kind == "connector" and isinstance(entry.key, str):
            known[entry.key] = None  # its own problems are told already
    return known
