"""Whether a method's variables make sense by themselves."""

import re
from collections.abc import Collection, Iterator

from connectors.oauth2.definition import RESERVED_NAMES, Variable
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.patterns import PatternError, compile_pattern
from connectors.oauth2.problems import Path, Problem, did_you_mean
from connectors.oauth2.templates import TemplateError, parse
from connectors.oauth2.values import check_value

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The platform's own settings are nobody's variable: whoever writes definitions need not know them.
OWN_SETTINGS = ("SECRET_KEY", "FERNET_KEYS", "DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "METRICS_TOKEN")


def check_variables(variables: Collection[Variable], path: Path) -> Iterator[Problem]:
    """What is wrong with variables as one list states them; `path` is the list's."""
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        here = (*path, index)
        if variable.key in seen:
            yield Problem((*here, "key"), f"The variable {variable.key} is there twice.", "Remove or rename one.")
        seen.add(variable.key)
        if variable.key in RESERVED_NAMES:
            yield Problem(
                (*here, "key"), f"{variable.key} is a reserved name.", f"Reserved are: {', '.join(RESERVED_NAMES)}."
            )


def check_step_keys(method: Method, here: Path) -> Iterator[Problem]:
    """Steps have keys of their own: no two the same, and none that means something else in a template."""
    seen: set[str] = set()
    for index, step in enumerate(method.definition.steps):
        path = (*here, "steps", index, "key")
        if step.key in seen:
            yield Problem(path, f"The step {step.key} is there twice.", "Rename one.")
        elif step.key in RESERVED_NAMES:
            yield Problem(path, f"{step.key} is a reserved name.", f"Reserved are: {', '.join(RESERVED_NAMES)}.")
        elif step.key in method.by_key:
            yield Problem(
                path,
                f"{step.key} is a variable already; a step's key is a reserved name.",
                "Rename one of the two.",
            )
        seen.add(step.key)


def check_variable(variable: Variable, path: Path) -> Iterator[Problem]:
    """What is wrong with one variable, everything that it doesn't state filled in."""
    yield from _check_source(variable, path)
    try:
        if variable.pattern:
            compile_pattern(variable.pattern)
    except PatternError as error:
        problem = f"The pattern can't be used: {error}."
        yield Problem((*path, "pattern"), problem, "It must compile in Python and in browsers (`v` flag).")
        return
    values = [option.value for option in variable.options]
    for index, value in enumerate(values):
        if value in values[:index]:
            wrong = f"The choice “{value[:60]}” is there twice."
            yield Problem((*path, "choices", index), wrong, "Give each choice a value of its own, or remove one.")
    if _is_literal(variable.default) and (wrong := check_value(variable, variable.default)):
        yield Problem(
            (*path, "default"), f"The default is not a value that the variable takes. {wrong}", "Change one of them."
        )


def _check_source(variable: Variable, path: Path) -> Iterator[Problem]:
    if variable.secret and variable.default:
        yield Problem(
            (*path, "default"),
            f"{variable.key} is secret, and a secret can't have a default in a document.",
            "Leave it to the tenant's user, or hide it and set the value in the admin or by `default_from_env`.",
        )
    name = variable.default_from_env
    if not name:
        return
    if variable.is_typed_by_tenant:
        yield Problem(
            (*path, "default_from_env"),
            f"{variable.key} is filled in by the tenant's user, so the operator's value would never be used.",
            "Write `display: hidden` or `display: read_only`, or remove `default_from_env`.",
        )
    if not _ENVIRONMENT_NAME.fullmatch(name):
        yield Problem(
            (*path, "default_from_env"),
            f"“{name}” is no name of an environment variable.",
            "Write for example ACME_CLIENT_SECRET.",
        )
    elif name.upper().removesuffix("_FILE") in OWN_SETTINGS:
        yield Problem(
            (*path, "default_from_env"),
            f"{name} is one of this platform's own secrets.",
            "Keep the operator's value in an environment variable of its own.",
        )


def _is_literal(source: str) -> bool:
    try:
        return parse(source).is_literal
    except TemplateError:
        return False


def check_sources(method: Method, path_of: dict[str, Path], operator: Collection[str]) -> Iterator[Problem]:
    """Hidden, required and without any source: nobody could ever fill such a variable in."""
    for variable in method.asked:
        has_source = variable.default or variable.default_from_env or variable.key in operator
        if variable.display == "hidden" and variable.required and not has_source:
            yield Problem(
                path_of[variable.key],
                f"{variable.key} is hidden and required, but nothing gives it a value.",
                "Give it a `default` or `default_from_env`, set the operator's value in the admin, "
                "show it to the tenant's user, or write `required: false`.",
            )


def check_defaults(method: Method, path_of: dict[str, Path]) -> Iterator[Problem]:
    """The placeholders of defaults: they exist, and lead round in no circle."""
    connector_keys = {variable.key for variable in method.connector.variables}
    for variable in method.variables:
        here = (*path_of[variable.key], "default")
        allowed = connector_keys if variable.key in connector_keys else set(method.by_key)
        try:
            names = parse(variable.default).names
        except TemplateError as error:
            yield Problem(here, error.message, error.remedy)
            continue
        for name in sorted(names - allowed):
            yield Problem(here, f"{{{{{name}}}}} names nothing that a default can use.", did_you_mean(name, allowed))
        if variable.display != "hidden" and not variable.secret and variable.key in method.secret_keys:
            yield Problem(
                here,
                f"The default of {variable.key} is made of a secret, and would be shown.",
                "Write `display: hidden`, or use the secret's placeholder where it is sent.",
            )
        if variable.key in method.behind(names_in(variable.default)):
            yield Problem(
                here,
                f"The default of {variable.key} leads back to itself.",
                "Let one of the defaults on the way be a plain text.",
            )
