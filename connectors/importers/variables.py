"""The variables that a draft's templates come to need."""

from typing import Any

from connectors.importers.draft import one_line
from connectors.importers.names import label, variable_key
from connectors.oauth2.definition import SUPPLIED_KEYS


class Variables:
    """Variables by key, in the order in which they turned up."""

    def __init__(self, *, are_connectors: bool = False) -> None:
        self._stated: dict[str, dict[str, Any]] = {}
        self._are_connectors = are_connectors  # keys of a method's supplied variables are not free then

    def __contains__(self, key: object) -> bool:
        return key in self._stated

    def placeholder(self, name: str, **stated: Any) -> str:
        """`{{key}}` for what the source calls `name`; `stated` is what is known of the variable."""
        key = variable_key(name)
        if self._are_connectors and key in SUPPLIED_KEYS:
            key = f"api_{key}"
        if key in SUPPLIED_KEYS:
            if stated.get("default") or stated.get("choices"):
                self.state(key, **{part: stated[part] for part in ("default", "choices") if part in stated})
        else:
            self.state(key, **{"label": label(key), **stated})
        return f"{{{{{key}}}}}"

    def state(self, key: str, **stated: Any) -> None:
        """Say more of a variable. What was said before stays."""
        known = self._stated.setdefault(key, {"key": key})
        for name, value in stated.items():
            if value not in ("", [], None) and not (name == "secret" and value is False):
                known.setdefault(name, one_line(value, 200) if name == "label" else value)

    def forget(self, key: str) -> None:
        """Leave a variable out after all."""
        self._stated.pop(key, None)

    def documents(self) -> list[dict[str, Any]]:
        return [stated for stated in self._stated.values() if len(stated) > 1]


def literal(text: str) -> str:
    """A text for a template that shall stand as it is."""
    return text.replace("{{", '{{"{{"}}')
