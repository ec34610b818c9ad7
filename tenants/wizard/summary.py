"""What an instance was set up with, without its secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.oauth2.definition import Variable
from connectors.oauth2.method import Method
from connectors.oauth2.templates import Rendering


@dataclass(frozen=True)
class Line:
    """One variable. A secret has no `value`, but perhaps the moment since when it is set."""

    label: str
    value: str
    note: str
    set_at: datetime | None


def summary_of(
    method: Method, values: Mapping[str, str], set_at: Mapping[str, str], rendering: Rendering
) -> list[Line]:
    """The variables that the tenant's user may see, in the form's order."""
    return [
        _line(method, variable, values, set_at, rendering) for variable in method.asked if variable.display != "hidden"
    ]


def _line(
    method: Method, variable: Variable, values: Mapping[str, str], set_at: Mapping[str, str], rendering: Rendering
) -> Line:
    value = rendering.values.get(variable.key, "")
    if not value:
        return Line(variable.title, "", "Not set", None)
    if may_show(method, variable, values):
        labels = {option.value: option.label for option in variable.options}
        return Line(variable.title, labels.get(value, value), "" if variable.key in values else "default", None)
    if variable.key not in values:
        return Line(variable.title, "", "Set by the administrator", None)
    since = set_at.get(variable.key)
    return Line(variable.title, "", "" if since else "Set", datetime.fromisoformat(since) if since else None)


def may_show(method: Method, variable: Variable, values: Mapping[str, str]) -> bool:
    """Whether the value is no secret, and not made from one by a default."""
    if variable.secret:
        return False
    if variable.key in values:
        return True
    behind = method.behind(frozenset({variable.key}))
    return not any(
        one.secret or (one.display == "hidden" and one.key != variable.key)
        for one in method.variables
        if one.key in behind
    )
