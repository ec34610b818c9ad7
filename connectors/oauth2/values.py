"""The values of an authentication method's variables: checked when given, put together when used."""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from connectors.oauth2.assertions import key_problem
from connectors.oauth2.definition import Variable
from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.hosts import BadAddress, checked_base, checked_host
from connectors.oauth2.method import Method
from connectors.oauth2.mutual_tls import pair_problem, value_problem
from connectors.oauth2.patterns import compile_pattern
from connectors.oauth2.templates import Rendering, parse

MAX_LENGTH = 65_536
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def resolve(
    method: Method, given: Mapping[str, str], operator: Mapping[str, str], *, now: datetime, uuid: UUID | None = None
) -> Rendering:
    """Every variable's value: what was given, else the operator's, else the default.

    `given` is what a tenant's user or a backend set, `operator` what the operator typed or keeps in the environment.
    `uuid` None: one is drawn. A default that is a template is rendered over the others. Someone who gives an empty
    value means it: no default takes its place.
    """
    values: dict[str, str] = {}
    rendering = Rendering(values, now) if uuid is None else Rendering(values, now, uuid)
    for variable in method.in_order_of_defaults:
        key, default = variable.key, variable.default
        if key in given:
            values[key] = given[key]
        elif operator.get(key) and not variable.is_typed_by_tenant:
            values[key] = operator[key]
        else:
            values[key] = parse(default).render(rendering) if default else ""
    return rendering


def missing(method: Method, rendering: Rendering) -> list[Variable]:
    """The required variables that have no value."""
    values = rendering.values
    return [variable for variable in method.required if not values.get(variable.key)]


def check_complete(method: Method, rendering: Rendering) -> None:
    """Raise `ValidationFailed` where a required variable has no value."""
    lacking = missing(method, rendering)
    if not lacking:
        return
    titles = ", ".join(variable.title for variable in lacking)
    own = all(variable.is_typed_by_tenant for variable in lacking)
    raise ValidationFailed(
        f"A value is missing: {titles}." if len(lacking) == 1 else f"Values are missing: {titles}.",
        "Without it no token can be asked for." if len(lacking) == 1 else "Without them no token can be asked for.",
        "Fill it in and connect again." if own else "The administrator of this platform must set it.",
        fields={variable.key: "This value is required." for variable in lacking},
    )


def check_given(method: Method, given: Mapping[str, str], *, now: datetime | None = None) -> dict[str, str]:
    """What is wrong with given values: a sentence by variable key. Empty values are looked at by `missing`.

    `now` None: whether a certificate has expired is not looked at.
    """
    problems: dict[str, str] = {}
    for key, value in given.items():
        variable = method.by_key.get(key)
        problem = _unknown(method) if variable is None else _problem(method, variable, value, now)
        if problem:
            problems[key] = problem
    for _, request in method.requests:
        problems = {**pair_problem(request, given), **problems}
    return problems


def _problem(method: Method, variable: Variable, value: str, now: datetime | None) -> str:
    if problem := check_value(variable, value):
        return problem
    said = (
        key_problem(request, variable.key, value) or value_problem(request, variable, value, now)
        for _, request in method.requests
    )
    return next((problem for problem in said if problem), "")


def _unknown(method: Method) -> str:
    return f"There is no such variable. There are: {', '.join(variable.key for variable in method.asked)}."


def check_value(variable: Variable, value: str) -> str:
    """What is wrong with a value, as a sentence that does not repeat it; or nothing."""
    if not value:
        return ""
    if len(value) > MAX_LENGTH:
        return f"This is longer than {MAX_LENGTH:,} characters."
    if _UNSENDABLE.search(value):
        return "This holds a control character that can't be sent. Copy it once more, without formatting."
    if variable.format != "multiline" and ("\n" in value or "\r" in value):
        return "This must be one line, without a line break."
    if variable.options and value not in {option.value for option in variable.options}:
        return f"Choose one of: {', '.join(option.value for option in variable.options)}."
    if variable.format in ("url", "hostname") and (problem := _bad_address(variable, value)):
        return f"This can't be used: {problem}."
    if variable.pattern and not compile_pattern(variable.pattern).fullmatch(value):
        return f"This does not have the expected form{f', such as {variable.example}' if variable.example else ''}."
    return ""


def _bad_address(variable: Variable, value: str) -> str:
    try:
        checked_host(value) if variable.format == "hostname" else checked_base(value)
    except BadAddress as error:
        return str(error)
    return ""


def secrets_of(method: Method, values: Mapping[str, str]) -> tuple[str, ...]:
    """The values that may never be shown: those of variables that are marked secret, or made of such."""
    return tuple(value for key in method.secret_keys if (value := values.get(key, "")))
