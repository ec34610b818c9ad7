"""Whether the parts of a definition fit together: the same for a document and for the admin."""

from collections.abc import Collection, Iterator, Mapping

from connectors.oauth2.assertion_checks import check_assertion
from connectors.oauth2.definition import MAX_STEPS, SUPPLIED_KEYS, AuthMethod, Connector
from connectors.oauth2.hosts import BadAddress, checked_base
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.problems import Path, Problem
from connectors.oauth2.secrecy import check_secrecy
from connectors.oauth2.template_checks import check_templates
from connectors.oauth2.tls_checks import check_tls
from connectors.oauth2.variable_checks import (
    check_defaults,
    check_sources,
    check_step_keys,
    check_variable,
    check_variables,
)
from connectors.oauth2.wire_checks import check_wire

NO_OPERATOR: Mapping[str, Collection[str]] = {}


def check_connector(connector: Connector, operator: Mapping[str, Collection[str]] = NO_OPERATOR) -> list[Problem]:
    """Everything that is wrong with a connector and its methods; paths lead from the connector.

    `operator` names the variables that have an operator's value in the admin: by method key, "" for the connector's.
    """
    problems = list(_check_own(connector))
    own = operator.get("", ())
    for index, method in enumerate(connector.auth_methods):
        problems += check_method(connector, index, (*own, *operator.get(method.key, ())))
    if not connector.auth_methods:
        # A method's checks look at the connector's own texts too; without one nothing else does.
        stand_in = Connector.model_validate({**connector.stated(), "auth_methods": [_stand_in(connector)]})
        problems += [problem for problem in check_method(stand_in, 0, own) if problem.path[0] != "auth_methods"]
    return sorted(set(problems), key=problems.index)


def _stand_in(connector: Connector) -> dict[str, object]:
    """A method that keeps whatever `base_url` needs of an answer: the one that will is not there yet."""
    kept, steps = [], dict[str, dict[str, str]]()
    for key, _, name in (name.partition(".") for name in sorted(names_in(connector.base_url)) if "." in name):
        if key == "response":
            kept.append(name)
        elif key in steps or len(steps) < MAX_STEPS:
            steps.setdefault(key, {})[name] = name
    return {
        "key": "none",
        "name": "None",
        "steps": [{"key": key, "url": "https://localhost/", "keep": kept} for key, kept in steps.items()],
        "token_request": {"url": "https://localhost/"},
        "token_response": {"keep": kept},
    }


def _check_own(connector: Connector) -> Iterator[Problem]:
    yield from check_variables(connector.variables, ("variables",))
    for index, variable in enumerate(connector.variables):
        yield from check_variable(variable, ("variables", index))
        if variable.key in SUPPLIED_KEYS:
            yield Problem(
                ("variables", index, "key"),
                f"{variable.key} belongs to the authentication methods, which all have one.",
                "Change it there, or choose another key.",
            )
    seen: set[str] = set()
    for index, method in enumerate(connector.auth_methods):
        if method.key in seen:
            yield Problem(("auth_methods", index, "key"), f"The method {method.key} is there twice.", "Rename one.")
        seen.add(method.key)
    yield from _check_link(connector.documentation_url)


def _check_link(address: str) -> Iterator[Problem]:
    try:
        if address:
            checked_base(address.partition("#")[0].partition("?")[0])
    except BadAddress as error:
        yield Problem(
            ("documentation_url",), f"The link can't be used: {error}.", "Write an address that begins with https://."
        )


def check_method(connector: Connector, index: int, operator: Collection[str] = ()) -> list[Problem]:
    """Everything that is wrong with one of the connector's methods. Paths lead from the connector."""
    definition = connector.auth_methods[index]
    method = Method(connector, definition)
    here: Path = ("auth_methods", index)
    problems = list(check_variables(definition.variables, (*here, "variables")))
    problems += _check_double(connector, definition, here)
    problems += check_step_keys(Method(connector, definition), here)
    if problems:
        return problems  # the rest goes by key
    path_of = _paths(connector, definition, here)
    for variable in method.variables[len(connector.variables) :]:
        problems += check_variable(variable, path_of[variable.key])
    problems += check_defaults(method, path_of)
    problems += check_sources(method, path_of, operator)
    below = [*check_templates(method), *check_wire(definition), *check_assertion(method), *check_tls(method)]
    if not problems and not below:
        below += check_secrecy(method)
    return problems + [problem if problem.path[0] == "base_url" else problem.below(*here) for problem in below]


def _check_double(connector: Connector, definition: AuthMethod, here: Path) -> list[Problem]:
    own = {variable.key for variable in connector.variables}
    return [
        Problem(
            (*here, "variables", index, "key"),
            f"{variable.key} is a variable of the connector already.",
            "Keep it in one of the two places.",
        )
        for index, variable in enumerate(definition.variables)
        if variable.key in own
    ]


def _paths(connector: Connector, definition: AuthMethod, here: Path) -> dict[str, Path]:
    """Where each variable stands; a supplied one that the document doesn't name stands for the whole list."""
    return {
        **dict.fromkeys(SUPPLIED_KEYS, (*here, "variables")),
        **{variable.key: ("variables", index) for index, variable in enumerate(connector.variables)},
        **{variable.key: (*here, "variables", index) for index, variable in enumerate(definition.variables)},
    }
