"""The table's most telling figures as bars, drawn as SVG by hand."""

from collections.abc import Sequence
from html import escape

from scripts.benchmark.table import Section

WIDTH, LEFT, BAR, STEP = 860, 430, 14, 24
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.title{font-weight:600;font-size:15px}"
    ".small{font-size:12px;fill:#52606d}"
    ".ours{fill:#2563eb}.other{fill:#9aa5b1}.base{stroke:#52606d;stroke-dasharray:3 3}"
)


def drawn(sections: Sequence[Section], caption: str) -> str:
    """Renewals: how many ours, and others', for one of the bare loop's."""
    shown = [section for section in sections if section.title.startswith("Renewal") and " 0 ms" in section.title]
    parts, top = [], 40
    for section in shown:
        rows = [row for row in section.rows if row.ratio is not None and row.figure]
        parts.append(f'<text class="title" x="16" y="{top}">{escape(section.title)}</text>')
        longest = max(row.ratio or 0.0 for row in rows)
        scale = (WIDTH - LEFT - 80) / max(longest, 1.0)
        start = top + 12
        for number, row in enumerate(rows):
            y, length = start + number * STEP, max(1.0, (row.ratio or 0.0) * scale)
            kind = "ours" if row.name.startswith("our ") else "other"
            parts.append(f'<text x="{LEFT - 10}" y="{y + 12}" text-anchor="end">{escape(row.name)}</text>')
            parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>')
            parts.append(f'<text x="{LEFT + length + 6:.1f}" y="{y + 12}">{row.ratio:.3g}</text>')
        line, end = LEFT + scale, start + len(rows) * STEP
        parts.append(f'<line class="base" x1="{line:.1f}" y1="{start - 4}" x2="{line:.1f}" y2="{end - 6}"/>')
        top = end + 28
    parts.append(f'<text class="small" x="16" y="{top}">{escape(caption)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 16}" role="img">'
    title = "<title>Renewals for one of a bare requests.Session.post loop, by CPU time; longer is better</title>"
    ground = f'<rect width="{WIDTH}" height="{top + 16}" fill="#fff"/>'
    return "\n".join([head, title, f"<style>{STYLE}</style>", ground, *parts, "</svg>", ""])
