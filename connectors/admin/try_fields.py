"""The values that a method is tried with: fields on its page, whose secrets are never shown again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from connectors.oauth2.definition import Choice, Variable
from connectors.oauth2.method import Method
from connectors.oauth2.templates import parse

PREFIX = "try-"

Control = Literal["text", "password", "textarea", "select"]


@dataclass(frozen=True)
class TryField:
    """One control. `value` is never a secret; `note` says what an empty one stands for."""

    key: str
    label: str
    control: Control
    help_text: str = ""
    value: str = field(default="", repr=False)
    options: tuple[Choice, ...] = ()
    is_required: bool = False
    note: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.key}"


@dataclass(frozen=True)
class Typed:
    """What was typed to try with: `shown` may stand on the page again, `secret` may not. Its repr shows neither."""

    shown: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def values(self) -> dict[str, str]:
        return {**self.shown, **self.secret}


def read_typed(
    posted: Mapping[str, str], variables: Mapping[str, Variable], secret: frozenset[str], kept: Mapping[str, str]
) -> Typed:
    """What was typed. A secret that was left empty is the one that was `kept` from a moment ago."""
    typed = {key: _normalised(variable, str(posted.get(f"{PREFIX}{key}", ""))) for key, variable in variables.items()}
    shown = {**kept, **{key: value for key, value in typed.items() if f"{PREFIX}{key}" in posted}}
    secrets = {key: typed[key] or kept.get(key, "") for key in variables if key in secret}
    return Typed(
        {key: value for key, value in shown.items() if key in variables and key not in secret},
        {key: value for key, value in secrets.items() if value},
    )


def everything_typed(posted: Mapping[str, str]) -> dict[str, str]:
    """All that was typed, when it can't be told what of it is secret."""
    return {key.removeprefix(PREFIX): str(value) for key, value in posted.items() if key.startswith(PREFIX) and value}


def _normalised(variable: Variable, value: str) -> str:
    return value.replace("\r\n", "\n").strip()


def values_given(method: Method, typed: Typed, operator: Mapping[str, str]) -> dict[str, str]:
    """What is handed to the exchange: an empty field leaves its value to the operator or to a default that is made."""
    given = {}
    for key, value in typed.values.items():
        variable = method.by_key.get(key)
        if variable is None:
            continue
        left_to_others = bool(operator.get(key)) or not parse(variable.default).is_literal
        if value or not (variable.secret or left_to_others):
            given[key] = value
    return given


def fields_of_trial(
    method: Method, typed: Typed | None, operator: Mapping[str, str], errors: Mapping[str, str]
) -> list[TryField]:
    """The method's fields, filled in with what was typed or, at first, with the defaults."""
    return list(_fields(method, typed, operator, errors))


def _fields(
    method: Method, typed: Typed | None, operator: Mapping[str, str], errors: Mapping[str, str]
) -> Iterator[TryField]:
    for variable in method.asked:
        is_secret = variable.key in method.secret_keys
        is_made = not parse(variable.default).is_literal
        # The operator's own value goes before the default, but is not shown: it may be a secret.
        is_operators = bool(operator.get(variable.key)) and not variable.is_typed_by_tenant
        default = "" if is_made or is_secret or is_operators else variable.default
        shown = default if typed is None else typed.shown.get(variable.key, default)
        yield TryField(
            key=variable.key,
            label=variable.title,
            control=_control(variable, is_secret=is_secret),
            help_text=variable.help_text,
            value="" if is_secret else shown,
            options=variable.options,
            is_required=variable.required and not is_made and not is_operators,
            note=_note(variable, typed, operator, is_secret=is_secret, is_made=is_made),
            error=errors.get(variable.key, ""),
        )


def _control(variable: Variable, *, is_secret: bool) -> Control:
    if variable.choices:
        return "select"
    if variable.format == "multiline":
        return "textarea"
    return "password" if is_secret else "text"


def _note(
    variable: Variable, typed: Typed | None, operator: Mapping[str, str], *, is_secret: bool, is_made: bool
) -> str:
    if is_secret and typed is not None and typed.secret.get(variable.key):
        return "Typed a moment ago, not stored. Leave empty to use it again; type to replace."
    if operator.get(variable.key) and not variable.is_typed_by_tenant:
        return "Empty: the operator's stored value is used."
    return "Empty: it is made from other values." if is_made else ""
