"""Documents → YAML text, always the same for the same document.

Written out by hand because what it may look like matters: several lines stand as a block that a person can edit, long
lines stay whole, and every text that another reader might take for a number or a truth value is quoted.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.yaml_scalars import needs_quotes

# Texts that need no quotes: they hold nothing that has a meaning in YAML, wherever they stand.
_PLAIN = re.compile(r"[^\W_](?:[\w ./+()@%'…&;=?!~^$\\-]|:(?=[^\s,\]}])|,(?= ))*(?<! )")
_PLAIN_IN_FLOW = re.compile(r"[^\W_](?:[\w ./+()@%-]|:(?=[\w/]))*(?<! )")
_PRINTABLE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_FLOW_WIDTH = 80
_INDENT = "  "


def write_documents(documents: Iterable[Mapping[str, Any]]) -> str:
    """The documents as one text, `---` between them."""
    return "---\n".join("".join(f"{line}\n" for line in _mapping(document, "")) for document in documents)


def write_list(items: Iterable[Any]) -> str:
    """A list by itself, as it would stand in a document."""
    return "".join(f"{line}\n" for line in _sequence(items, ""))


def _mapping(mapping: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in mapping.items():
        yield from _entry(f"{indent}{_inline(key, _PLAIN_IN_FLOW)}:", value, indent)


def _entry(opening: str, value: Any, indent: str) -> Iterator[str]:
    """`opening` (a key or a dash) and the value behind or below it."""
    flow = _flow(value)
    if flow is not None:
        yield f"{opening} {flow}"
    elif isinstance(value, str):
        header, lines = _block(value)
        yield f"{opening} {header}"
        for line in lines:
            yield f"{indent}{_INDENT}{line}" if line else ""
    elif isinstance(value, Mapping):
        yield opening
        yield from _mapping(value, indent + _INDENT)
    else:
        yield opening
        yield from _sequence(value, indent + _INDENT)


def _sequence(items: Iterable[Any], indent: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping) and item:
            first, *rest = _mapping(item, indent + _INDENT)
            yield f"{indent}- {first.lstrip(' ')}"
            yield from rest
        else:
            yield from _entry(f"{indent}-", item, indent)


def _flow(value: Any) -> str | None:
    """The value on one line, if it can and should stand on one."""
    if isinstance(value, str):
        return None if _is_block(value) else _inline(value, _PLAIN)
    if isinstance(value, Mapping):
        return None if value else "{}"
    if isinstance(value, list):
        if any(isinstance(item, Mapping | list) for item in value):
            return None
        text = f"[{', '.join(_inline(item, _PLAIN_IN_FLOW) for item in value)}]"
        return text if len(text) <= _FLOW_WIDTH else None
    return json.dumps(value)


def _inline(value: Any, plain: re.Pattern[str]) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if plain.fullmatch(value) and not needs_quotes(value):
        return value
    if ("\\" in value or '"' in value) and _PRINTABLE.fullmatch(value):
        return "'" + value.replace("'", "''") + "'"
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _is_block(text: str) -> bool:
    """Whether the text can stand as a literal block and be read back exactly."""
    if "\n" not in text or not text.strip("\n"):
        return False
    lines = text.split("\n")
    return all(_PRINTABLE.fullmatch(line.replace("\t", "")) for line in lines) and not any(
        line != line.rstrip(" \t") or line.startswith("\t") for line in lines
    )


def _block(text: str) -> tuple[str, list[str]]:
    """The header and the lines of a literal block."""
    body = text.rstrip("\n")
    ending = text[len(body) :]
    # The first line says how far the block is indented; where it is empty or itself indented, the header must.
    indicator = str(len(_INDENT)) if body[0] in " \n" else ""
    chomping = {"": "-", "\n": ""}.get(ending, "+")
    return f"|{indicator}{chomping}", [*body.split("\n"), *[""] * (len(ending) - 1)]
