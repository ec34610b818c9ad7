"""The scopes that a description lists → the variable `scope`."""

import re
from collections.abc import Mapping
from typing import Any

from connectors.importers.draft import one_line

_NAME = re.compile(r"[!#-\[\]-~]{1,200}")  # RFC 6749 section 3.3
_FEW = 8  # as many as a drop-down should hold
_LISTED = 40


def scope_variable(scopes: Mapping[str, str], remarks: list[str]) -> dict[str, Any]:
    """What to say of `scope`: a drop-down where there are few, otherwise the names in its help text."""
    names = [name for name in scopes if _NAME.fullmatch(name)]
    if len(names) < len(scopes):
        remarks.append("Some scopes were left out: their names hold characters that RFC 6749 does not allow in one.")
    if not names:
        return {}
    has_gaps = any("{" in name for name in names)
    if has_gaps or len(names) > _FEW:
        listed = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
        gaps = " Your own values stand for what is in braces." if has_gaps else ""
        return {"help_text": f"One or more of these, with spaces between them: {listed}.{gaps}"}
    choices = [_choice(name, scopes[name]) for name in names]
    if len(names) > 1:
        choices.append({"value": " ".join(names), "label": "All of these"})
    return {"choices": choices}


def _choice(name: str, description: str) -> str | dict[str, str]:
    words = one_line(description, 120)
    return {"value": name, "label": f"{name}: {words}"} if words and words != name else name
