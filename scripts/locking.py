"""Does requirements.lock hold what pyproject.toml asks for? Needs no network."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.installed import locked


def stale(project: Path, lock: Path) -> Sequence[str]:
    """What the lock file lacks or pins outside of what the project allows, and how to mend it."""
    pins: dict[str, list[Requirement]] = {}
    for pin in locked(lock):
        pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    faults = [
        fault for asked in wanted(project) for fault in _faults(asked, pins.get(canonicalize_name(asked.name), []))
    ]
    return [*faults, f"Relock as docs/development.md says, and commit {lock.name}."] if faults else []


def wanted(project: Path) -> Iterator[Requirement]:
    """All direct dependencies, extras included."""
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    for text in (
        *table["dependencies"],
        *(text for extra in table["optional-dependencies"].values() for text in extra),
    ):
        yield Requirement(text)


def _faults(asked: Requirement, pins: Sequence[Requirement]) -> Iterator[str]:
    if not pins:
        yield f"{asked.name} is in pyproject.toml, but not in the lock file."
    for pin in pins:
        version = str(pin.specifier).removeprefix("==")
        if not asked.specifier.contains(version, prereleases=True):
            yield f"{asked.name} is locked at {version}, but pyproject.toml asks for {asked.specifier}."
