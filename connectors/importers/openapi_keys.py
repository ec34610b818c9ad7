"""API keys that an OpenAPI description asks for beside the token."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.importers.draft import clean
from connectors.importers.names import variable_key
from connectors.importers.source_text import mapping, resolved
from connectors.importers.variables import Variables

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "query")


def keys_beside(
    root: Mapping[str, Any], name: str, variables: Variables, remarks: list[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and query parameters that go with the token of the scheme `name` wherever that is asked for."""
    together = [set(requirement) - {name} for requirement in _requirements(root) if name in requirement]
    always = set.intersection(*together) if together else set()
    for other in sorted(set().union(*together) - always):
        remarks.append(f"Some operations want {other} beside {name}; it is not in the draft.")
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    for other in sorted(always):
        scheme = resolved(root, _scheme(root, other), remarks)
        where, parameter = scheme.get("in"), clean(scheme.get("name"), 200)
        if scheme.get("type") != "apiKey" or where not in ("header", "query", "cookie") or not parameter:
            remarks.append(f"{name} is asked for together with {other}, which was not read.")
            continue
        template = variables.placeholder(variable_key(parameter, "api_key"), secret=True)
        if where == "cookie":
            headers["Cookie"] = f"{parameter}={template}"
        else:
            (headers if where == "header" else query)[parameter] = template
    return headers, query


def _scheme(root: Mapping[str, Any], name: str) -> object:
    schemes = mapping(mapping(root.get("components")).get("securitySchemes")) or mapping(
        root.get("securityDefinitions")
    )
    return schemes.get(name)


def _requirements(root: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What operations, or by default all of them, ask for."""
    yield from _listed(root.get("security"))
    for path in mapping(root.get("paths")).values():
        for verb in _VERBS:
            yield from _listed(mapping(mapping(path).get(verb)).get("security"))


def _listed(security: object) -> Iterator[dict[str, Any]]:
    for requirement in security if isinstance(security, list) else []:
        yield mapping(requirement)
