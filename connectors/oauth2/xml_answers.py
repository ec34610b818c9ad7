"""Reading an XML answer, without a document type and so without entities of its own, and finding things in it.

Entities are how a few hundred bytes become gigabytes, and how a reader is made to open files and addresses. They are
declared in a document type: a body that has one is not read at all.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from pydantic import JsonValue

_MAX_DEPTH = 60  # elements inside each other
_INDEX = re.compile(r"[0-9]{1,6}")
_DECLARED = re.compile(r"\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")


class _NotReadError(Exception):
    """The body has a document type, or elements nested without end."""


@dataclass(slots=True)
class Element:
    """An element: its name as written, attributes, children, and the text that stands directly in it."""

    name: str
    attributes: dict[str, str] = field(repr=False)
    children: "list[Element]" = field(default_factory=list, repr=False)
    texts: list[str] = field(default_factory=list, repr=False)

    def value(self) -> JsonValue:
        """The text of an element that holds no others, else what it holds by name; repeated elements as a list."""
        if not self.children:
            return "".join(self.texts).strip()
        values: dict[str, list[JsonValue]] = {}
        for child in self.children:
            values.setdefault(_local(child.name), []).append(child.value())
        return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def declared_encoding(body: bytes) -> str:
    """The encoding that the XML declaration names, if there is one (XML 1.0 section 4.3.3)."""
    match = _DECLARED.match(body[:400].decode("latin-1"))
    return match[1] if match else ""


def read_xml(text: str) -> Element | None:
    """The root element, or None for what is not XML, has a document type or is nested too deeply."""
    top = Element("", {})
    open_elements = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > _MAX_DEPTH:
            raise _NotReadError
        element = Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def refuse(*declaration: object) -> None:
        raise _NotReadError

    # What the declaration says of the encoding was heeded when the bytes became text.
    parser = expat.ParserCreate(encoding="utf-8")
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: open_elements.pop()
    parser.CharacterDataHandler = lambda data: open_elements[-1].texts.append(data)
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text.strip().encode("utf-8", "replace"), True)
    except (expat.ExpatError, _NotReadError):
        return None
    return top.children[0]


def find_in(root: Element, parts: Sequence[str]) -> JsonValue:
    """What stands at a path: element names, the root's first; `@name` for an attribute; an index among repeated ones.

    A name fits with or without its prefix. Without an index the first of repeated elements counts.
    """
    return _find([root], parts)


def _find(candidates: Sequence[Element], parts: Sequence[str]) -> JsonValue:
    for length in range(len(parts), 0, -1):  # a name that holds dots itself wins over going deeper
        name = ".".join(parts[:length])
        found = [element for element in candidates if name in (element.name, _local(element.name))]
        if found and (value := _below(found, parts[length:])) is not None:
            return value
    return None


def _below(found: list[Element], parts: Sequence[str]) -> JsonValue:
    element = found[0]
    if parts and _INDEX.fullmatch(parts[0]):
        index, parts = int(parts[0]), parts[1:]
        if index >= len(found):
            return None
        element = found[index]
    if not parts:
        return element.value()
    if parts[0].startswith("@"):
        return next(_attributes(element, ".".join(parts)[1:]), None)
    return _find(element.children, parts)


def _attributes(element: Element, wanted: str) -> Iterator[str]:
    return (value for name, value in element.attributes.items() if wanted in (name, _local(name)))


def _local(name: str) -> str:
    return name.rpartition(":")[2]
