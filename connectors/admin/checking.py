"""Whether what was typed makes a good definition: the same checks as a document's, on rows not yet stored."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.documents import CONNECTOR_TEXTS, METHOD_TEXTS, SECTIONS, operator_keys, variable_document
from connectors.models import AuthMethod, Connector, Variable
from connectors.oauth2 import definition
from connectors.oauth2.checks import check_connector
from connectors.oauth2.method import Method
from connectors.oauth2.mutual_tls import pair_problem
from connectors.oauth2.problems import Path, Problem, dotted
from connectors.oauth2.values import check_given
from connectors.validation import validated

Document = dict[str, Any]


def check_method(method: AuthMethod, variables: Sequence[Variable]) -> tuple[list[Problem], Path]:
    """Everything that is wrong with the connector of a method that is being edited, and the method's own path.

    Each of `variables` has its place in the document's list, so that a path leads to a row.
    """
    document, index = _with_method(method, variables)
    operator = {**operator_keys(document["key"]), method.key: _with_operator_value(variables)}
    return _problems(document, operator), ("auth_methods", index)


def check_own(connector: Connector, variables: Sequence[Variable]) -> tuple[list[Problem], Path]:
    """Everything that is wrong with a connector that is being edited and its stored methods."""
    document = _with_methods(connector, variables)
    return _problems(document, {**operator_keys(connector.key), "": _with_operator_value(variables)}), ()


def operator_problems(
    owner: Connector | AuthMethod, variables: Sequence[Variable], typed: Collection[str], now: datetime
) -> dict[str, str]:
    """What is wrong with the operator's values of the variables `typed`, by key: the same as with a tenant's.

    A certificate or key that was stored before is looked at where the other one of the pair was typed.
    """
    if isinstance(owner, AuthMethod):
        document, index = _with_method(owner, variables)
        document["auth_methods"] = [document["auth_methods"][index]]
    else:
        document = _with_methods(owner, variables)
    connector, _ = validated(definition.Connector, document)
    problems: dict[str, str] = {}
    if connector is None:
        return problems  # what is wrong with the rest of it comes first
    given = {row.key: row.operator_value for row in variables if row.operator_value}
    for method in connector.auth_methods:
        whole = Method(connector, method)
        known = {key: value for key, value in given.items() if key in whole.by_key}
        if not known.keys().isdisjoint(typed):
            for _, request in whole.requests:
                problems |= pair_problem(request, known)
            problems |= check_given(whole, {key: known[key] for key in known if key in typed}, now=now)
    return problems


def as_edited(method: AuthMethod, variables: Sequence[Variable]) -> tuple[Method | None, list[Problem]]:
    """The method that is being edited as one that can be used, or everything that is wrong with it alone."""
    own = {**_texts(method.connector), "variables": _variables(method.connector.variables.all())}
    connector, problems = validated(definition.Connector, {**own, "auth_methods": [_method(method, variables)]})
    if connector is None:
        return None, problems
    operator = {**operator_keys(method.connector.key), method.key: _with_operator_value(variables)}
    problems = check_connector(connector, operator)
    return (None if problems else Method(connector, connector.auth_methods[0])), problems


def unused_variables(method: AuthMethod) -> frozenset[str]:
    """The supplied variables that neither a template nor the client authentication uses."""
    document = {**_texts(method.connector), "variables": _variables(method.connector.variables.all())}
    document["auth_methods"] = [_method(method, method.variables.all())]
    connector, _ = validated(definition.Connector, document)
    if connector is None:
        return frozenset()
    return frozenset(definition.SUPPLIED_KEYS) - Method(connector, connector.auth_methods[0]).used


def sentence(problem: Problem) -> str:
    """The problem for a place of its own, away from what it is about."""
    place = dotted(problem.path)
    return f"{place}: {problem}" if place else str(problem)


def _with_method(method: AuthMethod, variables: Sequence[Variable]) -> tuple[Document, int]:
    """The document of the connector whose method is being edited, and the method's place in it."""
    stored = Connector.objects.with_definitions().defer("logo").get(pk=method.connector_id)
    rows = [method if row.pk == method.pk else row for row in stored.auth_methods.all()]
    if method.pk is None:
        rows.append(method)
    documents = [_method(row, variables if row is method else row.variables.all()) for row in rows]
    variables_of_all = _variables(stored.variables.all())
    return {**_texts(stored), "variables": variables_of_all, "auth_methods": documents}, rows.index(method)


def _with_methods(connector: Connector, variables: Sequence[Variable]) -> Document:
    """The document of a connector that is being edited, with its stored methods."""
    methods = AuthMethod.objects.filter(connector=connector.pk).prefetch_related("variables") if connector.pk else ()
    return {
        **_texts(connector),
        "variables": _variables(variables),
        "auth_methods": [_method(row, row.variables.all()) for row in methods],
    }


def _problems(document: Document, operator: Mapping[str, Collection[str]]) -> list[Problem]:
    connector, problems = validated(definition.Connector, document)
    return problems if connector is None else check_connector(connector, operator)


def _texts(connector: Connector) -> Document:
    names = ("key", "name", *CONNECTOR_TEXTS)
    return {"kind": "connector", **{name: getattr(connector, name) for name in names}}


def _method(method: AuthMethod, variables: Iterable[Variable]) -> Document:
    sections = {name: getattr(method, name) for name in SECTIONS}
    return {
        **{name: getattr(method, name) for name in ("key", "name", *METHOD_TEXTS)},
        "variables": _variables(variables),
        **{name: section for name, section in sections.items() if section is not None},
    }


def _variables(rows: Iterable[Variable]) -> list[Document]:
    return [variable_document(row) for row in rows]


def _with_operator_value(rows: Iterable[Variable]) -> list[str]:
    return [row.key for row in rows if row.operator_value]
