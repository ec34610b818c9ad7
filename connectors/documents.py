"""Rows ⇄ documents: what the database holds of a connector, as the definition format says it.

A row remembers in `stated` which keys its document states although they say no more than silence would; so a document
goes through the database and comes out the same, in canonical order.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models

from connectors.models import AuthMethod, Connector, Variable
from connectors.oauth2 import definition
from connectors.oauth2.definition import SUPPLIED_KEYS, SUPPLIED_VARIABLES

SECTIONS = ("token_request", "token_response", "api_request", "refresh", "test_request")
CONNECTOR_TEXTS = ("description", "category", "documentation_url", "base_url")
METHOD_TEXTS = ("type", "instructions")
VARIABLE_FIELDS = tuple(name for name in definition.Variable.model_fields if name != "key")

_SUPPLIED = {variable.key: variable for variable in SUPPLIED_VARIABLES}


def connector_document(connector: Connector) -> dict[str, Any]:
    """The connector's document, in canonical order. `Connector.objects.with_definitions()` makes it cheap."""
    return {
        "kind": "connector",
        "key": connector.key,
        "name": connector.name,
        **_stated(connector, definition.Connector, CONNECTOR_TEXTS),
        **_listed("variables", variable_documents(connector.variables.all()), connector.stated),
        **_listed("auth_methods", [method_document(row) for row in connector.auth_methods.all()], connector.stated),
    }


def method_document(method: AuthMethod) -> dict[str, Any]:
    """An authentication method's part of its connector's document."""
    sections = {name: getattr(method, name) for name in SECTIONS}
    return {
        "key": method.key,
        "name": method.name,
        **_stated(method, definition.AuthMethod, METHOD_TEXTS),
        **_listed("variables", variable_documents(method.variables.all()), method.stated),
        **{name: section for name, section in sections.items() if section is not None or name in method.stated},
    }


def variable_documents(rows: Iterable[Variable]) -> list[dict[str, Any]]:
    """The variables that a document must name so that the same rows, in the same order, come of it.

    Supplied ones that are as supplied stand first and unnamed; from the first that is not, all are named.
    """
    named = [(row, _variable_document(row)) for row in rows]
    silent = _silent_prefix(named)
    return [document for row, document in named if row.key not in silent]


def _silent_prefix(named: Sequence[tuple[Variable, dict[str, Any]]]) -> frozenset[str]:
    """The supplied variables that a document can leave out: unchanged, and before all others in the usual order."""
    unchanged = {row.key for row, document in named if row.stated is None and set(document) == {"key"}}
    prefix: list[str] = []
    for row, _ in named:
        if row.key not in unchanged:
            break
        prefix.append(row.key)
    # Where the order was changed by hand, naming the rest keeps it.
    while prefix != [key for key in SUPPLIED_KEYS if key in prefix]:
        prefix.pop()
    return frozenset(prefix)


def _variable_document(row: Variable) -> dict[str, Any]:
    supplied = _SUPPLIED.get(row.key) if row.auth_method_id else None
    silence = supplied or definition.Variable(key=row.key)
    values = {name: getattr(row, name) for name in VARIABLE_FIELDS}
    silent = silence.model_dump(mode="json")
    return {
        "key": row.key,
        **{name: value for name, value in values.items() if name in (row.stated or ()) or value != silent[name]},
    }


def _stated(row: models.Model, section: type[definition.Section], names: Iterable[str]) -> dict[str, Any]:
    stated: list[str] = getattr(row, "stated", [])
    values = {name: getattr(row, name) for name in names}
    defaults = {name: section.model_fields[name].default for name in names}
    return {name: value for name, value in values.items() if name in stated or value != defaults[name]}


def _listed(name: str, items: list[dict[str, Any]], stated: Sequence[str]) -> dict[str, Any]:
    return {name: items} if items or name in stated else {}
