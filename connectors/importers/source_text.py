"""A description that others wrote, JSON or YAML → plain data, bounded in size, depth and time."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.importers.draft import NotReadable, one_line
from connectors.yaml_text import read_documents

MAX_BYTES = 12 << 20
MAX_DEPTH = 100
# The parser reads a few hundred kB in a second; what is longer is cut down to what a draft needs first.
_YAML_IN_FULL = 500_000
_YAML_CUT = 2_000_000
_MAX_NODES = 200_000
_NEEDED = frozenset(
    [
        "openapi",
        "swagger",
        "info",
        "servers",
        "host",
        "basePath",
        "schemes",
        "security",
        "securityDefinitions",
        "components",
        "externalDocs",
        "securitySchemes",
        "issuer",
        "token_endpoint",
    ]
)
_TOP_LEVEL = re.compile(r"""(?P<quote>["']?)(?P<key>[A-Za-z][\w.\-]*)(?P=quote)\s*:(?:\s|$)""")
_NESTED = re.compile(r"""(?P<indent>[ ]+)(?P<quote>["']?)(?P<key>[A-Za-z][\w.\-]*)(?P=quote)\s*:(?:\s|$)""")
# A string that doesn't end takes all the rest, so that nothing is looked at twice.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.|\\\Z)*+(?:"|\Z)|[\[{\]}]', re.DOTALL)
_MAX_HOPS = 20
_REMEDY = "Give an OpenAPI description, an authorization server's metadata or a cURL command."


def read(content: bytes) -> tuple[dict[str, Any], list[str]]:
    """What the text says, and remarks on what was not looked at. Raises `NotReadable`."""
    if len(content) > MAX_BYTES:
        raise NotReadable(f"The source is larger than {MAX_BYTES >> 20} MiB.")
    stripped = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not stripped:
        raise NotReadable(f"The source is empty. {_REMEDY}")
    if stripped[:1] == b"<":
        raise NotReadable(
            "This is a page or XML, not a description. Look on the page for the address of openapi.json, openapi.yaml "
            "or /.well-known/…, or paste the cURL command that the documentation shows."
        )
    if stripped[:1] == b"{":
        data = _json(stripped)
        if data is not None:
            return data, []
    return _yaml(content)


def _json(content: bytes) -> dict[str, Any] | None:
    """None: it is no JSON, though it may be YAML in braces."""
    if _depth(content) > MAX_DEPTH:
        raise NotReadable(f"The document is nested more than {MAX_DEPTH} levels deep.")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return data if isinstance(data, dict) else None


def _depth(content: bytes) -> int:
    """How deep brackets go, strings apart: json.loads and those behind it recurse."""
    deepest = depth = 0
    for bracket in _BRACKETS.findall(content):
        if bracket in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in (b"}", b"]"):
            depth -= 1
    return deepest


def _yaml(content: bytes) -> tuple[dict[str, Any], list[str]]:
    remarks: list[str] = []
    if len(content) > _YAML_IN_FULL:
        content = b"\n".join(_needed(content))
        remarks.append(
            "The YAML is long, so paths and schemas were not read; an API key that only single operations ask for "
            "is not in the draft."
        )
    if len(content) > _YAML_CUT:
        raise NotReadable("The YAML is too long to be read; its JSON form, if there is one, can be.")
    documents, findings = read_documents(content, max_bytes=MAX_BYTES, max_nodes=_MAX_NODES)
    if len(documents) == 0 or not isinstance(documents[0].value, dict):
        first = findings[0] if findings else None
        why = f" {one_line(f'Line {first.mark.line}: {first.problem}')}" if first else ""
        raise NotReadable(f"This is neither JSON nor YAML that holds a description.{why} {_REMEDY}")
    if len(documents) > 1:
        remarks.append("The file holds several documents; only the first was read.")
    for finding in findings:
        path = [str(part) for part in finding.problem.path]
        if path[:1] in (["servers"], ["securityDefinitions"]) or path[:2] == ["components", "securitySchemes"]:
            remarks.append(f"Line {finding.mark.line} was not read as it stands: {finding.problem}")
    return documents[0].value, remarks


def _needed(content: bytes) -> Iterator[bytes]:
    """The lines of the sections that a draft needs; the others empty, so that places stay right."""
    keep, inside, keep_nested, indent = True, False, True, ""
    for raw in content.split(b"\n"):
        line = raw.decode("utf-8", "replace")
        top = _TOP_LEVEL.match(line)
        if top:
            keep, inside, keep_nested, indent = top["key"] in _NEEDED, top["key"] == "components", True, ""
        elif inside and (nested := _NESTED.match(line)) and nested["indent"] == (indent or nested["indent"]):
            indent = nested["indent"]
            keep_nested = nested["key"] == "securitySchemes"
        yield raw if keep and keep_nested else b""


def resolved(root: Mapping[str, Any], value: object, remarks: list[str]) -> dict[str, Any]:
    """`value`, followed through local `$ref`s; empty if it leads nowhere, in a circle or out of the document."""
    for _ in range(_MAX_HOPS):
        if not isinstance(value, Mapping):
            return {}
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return dict(value)
        if not reference.startswith("#/"):
            remarks.append(f"{reference} stands in another file and was not read.")
            return {}
        value = _pointed(root, reference)
        if value is None:
            remarks.append(f"{reference} leads nowhere.")
    remarks.append("A $ref leads back to itself and was not read.")
    return {}


def _pointed(root: Mapping[str, Any], reference: str) -> object:
    """What a JSON pointer (RFC 6901) finds; None if nothing."""
    value: Any = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def mapping(value: object) -> dict[str, Any]:
    """The value, if it is a mapping; else an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def texts(value: object) -> list[str]:
    """The texts of a list; empty if it is none."""
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else []
