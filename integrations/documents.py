"""Rows ⇄ documents: what the database holds of an integration, as the definition format says it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.document_changes import Change
from connectors.models import AuthMethod, Connector
from connectors.oauth2 import definition
from connectors.oauth2.hosts import BadAddress, checked_base
from connectors.oauth2.problems import Path, Problem, did_you_mean
from integrations.models import Component, Integration

LISTS = ("allowed_redirects", "allowed_origins")
_LOCAL = ("localhost", "127.0.0.1", "::1")

# Method keys by connector key; None: the connector is known, but not its methods.
Methods = Mapping[str, Collection[str] | None]


def integration_document(integration: Integration) -> dict[str, Any]:
    """The integration's document, in canonical order."""
    stated: list[str] = integration.stated
    components = {row.name: _component_document(row, stated) for row in integration.components.all()}
    lists = {name: getattr(integration, name) for name in LISTS}
    return {
        "kind": "integration",
        "key": integration.key,
        "name": integration.name,
        **{name: value for name, value in lists.items() if value or name in stated},
        **({"components": components} if components or "components" in stated else {}),
    }


def _component_document(row: Component, stated: Collection[str]) -> dict[str, Any]:
    method = row.auth_method.key if row.auth_method is not None else None
    is_said = method is not None or _without_method(row.name) in stated
    return {"connector": row.connector.key, **({"auth_method": method} if is_said else {})}


def _without_method(name: str) -> str:
    """How `stated` remembers that a component's document says `auth_method: null`."""
    return f"components.{name}.auth_method"


def check_integration(document: definition.Integration, *, methods: Methods) -> Iterator[Problem]:
    """Everything that is wrong with a document whose shape is right."""
    for index, address in enumerate(document.allowed_redirects):
        yield from _check_redirect(("allowed_redirects", index), address)
    for index, origin in enumerate(document.allowed_origins):
        yield from _check_origin(("allowed_origins", index), origin)
    for name, component in document.components.items():
        yield from _check_component(("components", name), component, methods)


def _check_component(path: Path, component: definition.Component, methods: Methods) -> Iterator[Problem]:
    if component.connector not in methods:
        yield Problem(
            (*path, "connector"),
            f"There is no connector {component.connector}, neither in this import nor in the database.",
            did_you_mean(component.connector, methods),
        )
        return
    known = methods[component.connector]
    if component.auth_method is not None and known is not None and component.auth_method not in known:
        yield Problem(
            (*path, "auth_method"),
            f"The connector {component.connector} has no authentication method {component.auth_method}.",
            did_you_mean(component.auth_method, known),
        )


def _check_redirect(path: Path, address: str) -> Iterator[Problem]:
    example = "Write a prefix such as https://app.example.com/."
    problem = _bad_address(address)
    if problem:
        yield Problem(path, f"The prefix can't be used: {problem}.", example)
    elif not urlsplit(address).path:
        # As a prefix, https://app.example.com would allow https://app.example.com.evil.example too.
        yield Problem(path, "The prefix ends with the host, so other hosts could begin with it.", f"Write {address}/.")


def _check_origin(path: Path, origin: str) -> Iterator[Problem]:
    problem = _bad_address(origin)
    if problem:
        yield Problem(path, f"The origin can't be used: {problem}.", "Write an origin such as https://app.example.com.")
    elif urlsplit(origin).path:
        parts = urlsplit(origin)
        remedy = f"Write {parts.scheme}://{parts.netloc}."
        yield Problem(path, "An origin is scheme, host and perhaps a port, without a path or a slash.", remedy)


def _bad_address(address: str) -> str:
    try:
        checked_base(address)
    except BadAddress as error:
        return str(error)
    parts = urlsplit(address)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        return "http is for localhost only, use https"
    if not address.startswith(f"{parts.scheme}://{parts.netloc.lower()}"):
        # Browsers write both in lower case; anything else would never match.
        return "scheme and host must be in lower case"
    return ""


def known_methods() -> dict[str, Collection[str] | None]:
    """The authentication methods that the database has, by connector."""
    found: dict[str, list[str]] = {key: [] for key in Connector.objects.values_list("key", flat=True)}
    for connector, method in AuthMethod.objects.values_list("connector__key", "key"):
        found[connector].append(method)
    return dict(found)


def write_integration(document: definition.Integration) -> Change:
    """Write what a checked document says: matched by key, nothing where nothing differs. Needs a transaction."""
    row = Integration.objects.select_for_update().filter(key=document.key).first()
    change = Change(integration_document(row) if row is not None else None, document.stated())
    if not change:
        return change
    row = row or Integration(key=document.key)
    row.name = document.name
    row.allowed_redirects, row.allowed_origins = document.allowed_redirects, document.allowed_origins
    row.stated = list(_stated(document))
    row.save()
    _write_components(row, document.components.items())
    return change


def _stated(document: definition.Integration) -> Iterator[str]:
    yield from (name for name in (*LISTS, "components") if name in document.model_fields_set)
    for name, component in document.components.items():
        if component.auth_method is None and "auth_method" in component.model_fields_set:
            yield _without_method(name)


def _write_components(integration: Integration, wanted: Iterable[tuple[str, definition.Component]]) -> None:
    present = {row.name: row for row in integration.components.all()}
    for position, (name, component) in enumerate(wanted):
        row = present.pop(name, None) or Component(integration=integration, name=name)
        row.connector = Connector.objects.get(key=component.connector)
        row.auth_method = None
        if component.auth_method is not None:
            row.auth_method = row.connector.auth_methods.get(key=component.auth_method)
        row.position = position
        row.save()
    integration.components.filter(name__in=present).delete()
