"""The table and the picture in docs/."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.benchmark.picture import drawn
from scripts.benchmark.table import Section, markdown

INTRODUCTION = """# Benchmarks

`scripts/bench` measures all of this in one run, each figure beside what it is compared with, in turns; the medians
count. Compare ratios, not microseconds. This page and its picture are written by `scripts/bench --write-docs`.

![Renewals for one of a bare loop, by CPU time](images/benchmarks.svg)
"""


def unwritable(docs: Path) -> Path | None:
    """Which of both can't be written by who runs this, before minutes are spent on it."""
    for path in _places(docs):
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            return path
    return None


def written(sections: Sequence[Section], machine: Sequence[str], docs: Path) -> Iterator[Path]:
    """Write both; which files."""
    page, picture = _places(docs)
    page.write_text(f"{INTRODUCTION}\n{markdown(sections, machine)}", encoding="utf-8")
    yield page
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(drawn(sections, f"{machine[0]}. {machine[1]}."), encoding="utf-8")
    yield picture


def _places(docs: Path) -> tuple[Path, Path]:
    return docs / "benchmarks.md", docs / "images" / "benchmarks.svg"
