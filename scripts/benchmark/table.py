"""The table: what was measured, in words and figures, as text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` is to the first row of its section unless the section says otherwise."""

    name: str
    figure: str
    ratio: float | None = None
    goal: str = ""
    is_met: bool | None = None


@dataclass
class Section:
    """Figures that are comparable with each other. `remark` says what the ratio means, and what differs."""

    title: str
    remark: str
    rows: list[Row] = field(default_factory=list)


HEADINGS = ("", "measured", "ratio", "goal", "")


def text(sections: Iterable[Section], machine: Sequence[str]) -> str:
    """For a terminal."""
    lines = [*machine, ""]
    for section in sections:
        cells = [HEADINGS, *(_cells(row) for row in section.rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
        lines += [section.title, *(f"  {line}" for line in wrap(section.remark, 110))]
        lines += ["  " + "  ".join(_padded(row, widths)).rstrip() for row in cells]
        lines.append("")
    return "\n".join(lines)


def markdown(sections: Iterable[Section], machine: Sequence[str]) -> str:
    """For docs/."""
    lines = [*(f"- {line}" for line in machine), ""]
    for section in sections:
        lines += [f"## {section.title}", "", section.remark, ""]
        lines += ["| | measured | ratio | goal | |", "|---|---:|---:|---|---|"]
        lines += [f"| {' | '.join(_cells(row))} |".replace("  ", " ") for row in section.rows]
        lines.append("")
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}" if row.ratio < 1000 else f"{row.ratio:,.0f}"
    verdict = "" if row.is_met is None else "met" if row.is_met else "MISSED"
    return row.name, row.figure, ratio, row.goal, verdict


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    name, *figures = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return [name, figures[0].strip().rjust(widths[1]), figures[1].strip().rjust(widths[2]), *figures[2:]]
