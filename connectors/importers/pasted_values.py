"""What a pasted command sends: forms, JSON and XML, value by value made into templates."""

import json
import re
from typing import Any
from xml.sax.saxutils import escape

from connectors.importers.fields_pasted import field, is_secret
from connectors.importers.variables import Variables, literal

_MAX_DEPTH = 20


class Values:
    """Makes templates of values, and remembers the names of those that stay as they are."""

    def __init__(self, variables: Variables, remarks: list[str]) -> None:
        self._variables = variables
        self._remarks = remarks
        self.kept: list[str] = []

    def parameters(self, pairs: list[tuple[str, str]]) -> dict[str, Any]:
        """Those of a form or a query; a name that comes again has a list."""
        found: dict[str, Any] = {}
        for name, value in pairs:
            if not name:
                self._remarks.append("A parameter without a name was not read.")
                continue
            template = self._field(name, value)
            before = found.get(name)
            if before is None:
                found[name] = template
            elif template not in (before if isinstance(before, list) else [before]):
                found[name] = [*(before if isinstance(before, list) else [before]), template]
        return found

    def json(self, text: str) -> Any:
        """The body as data; None if it is no JSON, or nested more than 20 levels deep."""
        try:
            return self._leaf("value", json.loads(text), _MAX_DEPTH)
        except (ValueError, RecursionError):
            return None

    def text(self, text: str) -> str:
        """XML keeps its shape, emptied of secrets; of any other text nobody knows which part is one."""
        if not text.startswith("<"):
            return self._variables.placeholder("body", secret=True, format="multiline")
        text = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
        text = re.sub(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", lambda found: escape(found[1]), text, flags=re.DOTALL)
        text = re.sub(r"""((?<![\w:])(\w+)\s*=\s*["'])([^"'<>]+)(?=["'])""", self._in_xml, text)
        return re.sub(r"(<(?:[\w.-]+:)?([\w.-]+)[^<>]*>)([^<>]+)(?=<)", self._in_xml, text)

    def _field(self, name: str, value: str) -> str:
        template = field(name, value, self._variables)
        if template == literal(value) and value and name not in self.kept:
            self.kept.append(name)
        return template

    def _leaf(self, name: str, value: Any, depth: int) -> Any:
        if depth == 0:
            raise ValueError("nested too deep to be anybody's token request")
        if isinstance(value, dict):
            return {key: self._leaf(key, item, depth - 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._leaf(name, item, depth - 1) for item in value]
        if isinstance(value, str):
            return self._field(name, value)
        if isinstance(value, bool | None) or not is_secret(name):
            return value
        return self._variables.placeholder(name, secret=True)

    def _in_xml(self, found: "re.Match[str]") -> str:
        """What an attribute or an element holds."""
        if found[3].isspace() or "|xml}}" in found[3] or found[2] in ("version", "encoding"):
            return found[0]
        return found[1] + self._field(found[2], found[3]).replace("}}", "|xml}}")
