"""The form of an authentication method: what it asks for, and what was typed into it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Literal

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.http import QueryDict

from connectors.definitions import Definition
from connectors.oauth2.definition import Choice, Variable
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.templates import Rendering, parse
from connectors.oauth2.values import resolve
from tenants import database_time
from tenants.wizard.summary import may_show

PREFIX = "v-"
CLEAR = "clear-"

Control = Literal["text", "url", "password", "textarea", "select"]


@dataclass(frozen=True)
class Field:
    """One control of the form. `value` is never a secret: of those it says only that one is stored, and since when."""

    key: str
    label: str
    control: Control
    help_text: str = ""
    value: str = field(default="", repr=False)
    example: str = ""
    options: Sequence[Choice] = ()
    is_required: bool = False
    is_secret: bool = False
    is_advanced: bool = False
    is_stored: bool = False
    set_at: datetime | None = None
    pattern: str = ""
    left_empty: str = ""
    error: str = ""

    @property
    def id(self) -> str:
        return f"{PREFIX}{self.key}"

    @property
    def clear_name(self) -> str:
        """The name of the box that takes a stored secret away; only what may be missing has one."""
        return f"{CLEAR}{self.key}" if self.is_secret and self.is_stored and not self.is_required else ""

    @property
    def described_by(self) -> str:
        """The ids of what describes the control."""
        parts = {"error": self.error, "help": self.help_text, "kept": self.is_stored, "empty": self.left_empty}
        return " ".join(f"{self.id}-{name}" for name, text in parts.items() if text)

    @property
    def is_required_by_browser(self) -> bool:
        # A browser can't point at a control that is folded away: it would refuse to send the form without a word.
        return self.is_required and not self.is_stored and not self.is_advanced

    @property
    def browser_pattern(self) -> str:
        return "" if self.is_advanced else self.pattern


@dataclass(frozen=True)
class Fixed:
    """A value that the tenant's user sees but doesn't set."""

    label: str
    help_text: str
    value: str
    note: str


@dataclass(frozen=True)
class MethodForm:
    """An authentication method as its user sees it, with what is filled in so far."""

    fields: Sequence[Field]
    fixed: Sequence[Fixed]

    @property
    def basic(self) -> list[Field]:
        return [one for one in self.fields if not one.is_advanced]

    @property
    def advanced(self) -> list[Field]:
        return [one for one in self.fields if one.is_advanced]

    @property
    def opens_advanced(self) -> bool:
        return any(one.error or (one.is_required and not one.value and not one.is_stored) for one in self.advanced)

    @property
    def errors(self) -> list[Field]:
        return [one for one in self.fields if one.error]


def form_of(
    definition: Definition,
    values: Mapping[str, str],
    set_at: Mapping[str, str],
    *,
    errors: Mapping[str, str],
    now: datetime,
    given: Collection[str] = (),
) -> MethodForm:
    """The form of a method, filled in with `values`. Those that are `given` by a backend aren't asked for."""
    method = definition.method
    rendering = resolve(method, values, definition.operator_values(), now=now)
    typed = [one for one in method.asked if one.is_typed_by_tenant and one.key not in given]
    fixed = [one for one in method.asked if one.display != "hidden" and one not in typed]
    return MethodForm(
        fields=[_field(method, one, values, set_at, rendering, errors.get(one.key, "")) for one in typed],
        fixed=[_fixed(method, one, values, rendering, by_backend=one.key in given) for one in fixed],
    )


def read(method: Method, posted: QueryDict) -> dict[str, str | None]:
    """What was typed, by variable key. None: nothing, so that the default holds; a secret left empty is not named.

    A value that is no different from the default isn't kept, so that it goes on following the definition.
    """
    typed: dict[str, str | None] = {}
    for variable in method.asked:
        name = f"{PREFIX}{variable.key}"
        if not variable.is_typed_by_tenant or name not in posted:
            continue
        value = _normalised(variable, str(posted[name]))
        if variable.secret:
            if value or f"{CLEAR}{variable.key}" in posted:
                typed[variable.key] = value or None
        elif value == variable.default or not (value or parse(variable.default).is_literal):
            typed[variable.key] = None
        else:
            typed[variable.key] = value
    return typed


def _normalised(variable: Variable, value: str) -> str:
    # Browsers send CRLF; and what is copied from a web page often brings a space along.
    return value.replace("\r\n", "\n") if variable.format == "multiline" else value.strip()


def _field(
    method: Method,
    variable: Variable,
    values: Mapping[str, str],
    set_at: Mapping[str, str],
    rendering: Rendering,
    error: str,
) -> Field:
    is_template = not parse(variable.default).is_literal
    default = "" if is_template else variable.default
    is_stored = variable.secret and bool(values.get(variable.key))
    return Field(
        key=variable.key,
        label=variable.title,
        control=_control(variable),
        help_text=variable.help_text,
        value="" if variable.secret else values.get(variable.key, default),
        example=variable.example,
        options=variable.options,
        is_required=variable.required and not is_template,
        is_secret=variable.secret,
        is_advanced=variable.display == "advanced",
        is_stored=is_stored,
        set_at=datetime.fromisoformat(set_at[variable.key]) if is_stored and variable.key in set_at else None,
        pattern=variable.pattern,
        left_empty=_when_empty(method, variable, rendering) if is_template else "",
        error=error,
    )


def _control(variable: Variable) -> Control:
    if variable.choices:
        return "select"
    if variable.format == "multiline":
        return "textarea"
    if variable.secret:
        return "password"
    return "url" if variable.format == "url" else "text"


def _when_empty(method: Method, variable: Variable, rendering: Rendering) -> str:
    """What a default that is a template comes to, in words."""
    names = [name for name in method.by_key if name in names_in(variable.default)]
    behind = method.behind(frozenset(names))
    if any(one.secret or one.display == "hidden" for one in method.variables if one.key in behind):
        return "Left empty, it is made from other values."
    if not all(rendering.values.get(name) for name in names):
        titles = " and ".join(method.by_key[name].title for name in names)
        return f"Left empty, it is made from {titles}."
    if not names:
        return "Left empty, it is made anew each time."
    return f"Left empty, it is {parse(variable.default).render(rendering)}"


def _fixed(
    method: Method, variable: Variable, values: Mapping[str, str], rendering: Rendering, *, by_backend: bool
) -> Fixed:
    value = rendering.values.get(variable.key, "")
    if not may_show(method, variable, values):
        note = "Already set" if by_backend else "Set by the administrator"
        return Fixed(variable.title, variable.help_text, "", note if value else "Not set")
    labels = {option.value: option.label for option in variable.options}
    return Fixed(variable.title, variable.help_text, labels.get(value, value), "" if value else "Not set")


class SignInForm(AuthenticationForm):
    """Django's own, with a message that says what to do."""

    error_messages: Any = {  # noqa: RUF012 (Django's own way to say it)
        "invalid_login": "User name and password don't match an account. Check both; capital letters count.",
        "inactive": "This account has been switched off. Ask the administrator of this platform.",
    }


class RenameForm(forms.Form):
    """A new name for an instance."""

    name = forms.CharField(max_length=200, required=False, strip=True)


class ExpiryForm(forms.Form):
    """The last day of a secret; empty: not known."""

    day = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Write a day as year, month and day, such as 2027-01-31."},
    )

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        if day is not None and day < database_time.now().date():
            raise forms.ValidationError("This day is over. Choose one that is to come, or leave it empty.")
        return day

    @property
    def moment(self) -> datetime | None:
        """The end of that day, in UTC. The form must be valid."""
        day: date | None = self.cleaned_data["day"]
        return None if day is None else datetime.combine(day, time(23, 59, 59), UTC)

    @property
    def typed(self) -> str:
        """What a date field of a page holds."""
        value = self["day"].value()
        return value.isoformat() if isinstance(value, date) else str(value or "")
