"""Where in an answer something is: `data.token`, `items.0.token`, `header:Name`, `cookie:Name`, `$` (all of it).

In XML the names are those of elements, the root's first, and `@name` is an attribute.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from connectors.oauth2.http import Headers
from connectors.oauth2.xml_answers import Element, find_in

WHOLE_BODY = "$"
MAX_PARTS = 40  # parts of a path: a tenant's user may write one, and answers are not nested deeper
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_INDEX = re.compile(r"[0-9]{1,6}")


class PathError(ValueError):
    """A path that can't be read; the message says why and what to write instead."""


def check_path(path: str) -> None:
    """Raise `PathError` for what is no path. An empty one is: it means "none"."""
    if path.startswith(("$.", "$[")):
        raise PathError(f"“{path}” is JSONPath. Write names with dots: {_with_dots(path)}.")
    if path.startswith("/"):
        raise PathError(f"“{path}” is a JSON pointer. Write names with dots: {_with_dots(path)}.")
    for prefix in ("header:", "cookie:"):
        if path.startswith(prefix):
            if not _NAME.fullmatch(path[len(prefix) :]):
                raise PathError(f"Behind “{prefix}” the name must follow, such as {prefix}X-Auth-Token.")
            return
    if re.search(r"\[[0-9]+\]", path):
        raise PathError(f"“{path}” holds brackets. Write an index like a name: items.0.token.")
    if path.count(".") >= MAX_PARTS:
        raise PathError(f"“{path[:40]}…” has more than {MAX_PARTS} parts.")
    if path and (path != path.strip() or "" in path.split(".")):
        raise PathError(f"“{path}” has an empty part. Write names with single dots between them: data.token.")


def _with_dots(path: str) -> str:
    """The names and indices of a path in another language, or an example."""
    return ".".join(part for part in re.split(r"[$./'\"\[\]]+", path) if part) or "data.token"


@dataclass(slots=True)  # not frozen: one is made for every request
class Answer:
    """A response, read: `tree` or `xml` is its data, `text` its body as text. Its repr shows nothing of them."""

    tree: JsonValue = field(repr=False)
    text: str = field(repr=False)
    headers: Headers = field(repr=False)
    xml: Element | None = field(default=None, repr=False)

    def find(self, path: str) -> JsonValue:
        """What stands at `path`, or None."""
        if isinstance(self.tree, dict) and path.isidentifier():  # as most are
            return self.tree.get(path)
        if not path:
            return None
        if path == WHOLE_BODY:
            return self._whole()
        if path.startswith("header:"):
            return self.headers.get(path.removeprefix("header:")) or None
        if path.startswith("cookie:"):
            return self._cookie(path.removeprefix("cookie:"))
        if isinstance(self.tree, dict) and "." not in path:
            return self.tree.get(path)
        parts = path.split(".", MAX_PARTS)
        if len(parts) > MAX_PARTS:
            return None
        return _descend(self.tree, parts) if self.xml is None else find_in(self.xml, parts)

    def _whole(self) -> str:
        text = self.tree if isinstance(self.tree, str) else _unquoted(self.text.strip())
        return "" if text == "null" else text

    def _cookie(self, name: str) -> str | None:
        """The cookie's value as browsers read it (RFC 6265 section 5.2); of several, the last that holds something."""
        found = None
        for line in self.headers.all("Set-Cookie"):
            key, _, value = line.partition(";")[0].partition("=")
            if key.strip() == name:
                found = value.strip().strip('"') or found
        return found


def _unquoted(text: str) -> str:
    if text.startswith('"') and text.endswith('"'):
        try:
            read = json.loads(text)
        except ValueError:
            return text
        return read if isinstance(read, str) else text
    return text


def _descend(node: JsonValue, parts: list[str]) -> JsonValue:
    if not parts:
        return node
    if isinstance(node, Mapping):
        # A key that holds dots itself wins over going deeper.
        for length in range(len(parts), 0, -1):
            key = ".".join(parts[:length])
            if key in node:
                found = _descend(node[key], parts[length:])
                if found is not None or length == len(parts):
                    return found
        return None
    if isinstance(node, list) and _INDEX.fullmatch(parts[0]) and int(parts[0]) < len(node):
        return _descend(node[int(parts[0])], parts[1:])
    return None
