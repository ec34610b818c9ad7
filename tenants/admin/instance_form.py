"""The form of an instance: a name, and every variable that its method asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from connectors.definitions import Definition, definition_of
from connectors.models import AuthMethod
from connectors.oauth2.definition import Variable
from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from connectors.oauth2.templates import parse
from connectors.secret_forms import Change, SecretFormField, SecretWidget, Stored
from tenants.models import Instance, InstanceValues

PREFIX = "v-"
INPUT_ATTRS = {"autocomplete": "off", "spellcheck": "false"}


@dataclass(frozen=True)
class Outcome:
    """What came of asking for a token: the instance, or why there is none."""

    instance: Instance | None = None
    error: LatchkeyError | None = None


@dataclass(frozen=True)
class Typed:
    """What was typed: the whole set of values, and since when each is set. Its repr shows none of them."""

    values: Mapping[str, str] = field(repr=False)
    set_at: Mapping[str, str]


class InstanceForm(forms.ModelForm):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """One instance. The provider is asked by the page, outside the form; `outcome` tells the form how that ended."""

    definition: ClassVar[Definition]
    stored: ClassVar[InstanceValues | None]
    outcome: ClassVar[Outcome | None]

    class Meta:
        model = Instance
        fields = ("name",)

    def typed(self) -> Typed:
        """The values of a valid form."""
        before = self.stored.values if self.stored else {}
        since = self.stored.set_at if self.stored else {}
        values: dict[str, str] = {}
        for variable in self.definition.method.asked:
            value = _read(variable, self.cleaned_data[PREFIX + variable.key], before)
            if value is not None:
                values[variable.key] = value
        return Typed(values, {key: since[key] for key in values if key in since and before.get(key) == values[key]})

    @property
    def has_new_values(self) -> bool:
        return any(name.startswith(PREFIX) for name in self.changed_data)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # (the stubs leave out what is private)
        if self.errors or self.outcome is None:
            return
        if self.outcome.instance is not None:
            self.instance = self.outcome.instance
        if self.outcome.error is not None:
            self._show(self.outcome.error)

    def _show(self, error: LatchkeyError) -> None:
        self.add_error(None, str(error))
        if isinstance(error, ValidationFailed):
            for key, sentence in error.fields.items():
                if PREFIX + key in self.fields:
                    self.add_error(PREFIX + key, sentence)


def _read(variable: Variable, typed: Any, before: Mapping[str, str]) -> str | None:
    """The value to keep, or None where the default (or the operator's value) is to hold."""
    if typed is Change.KEEP:
        return before.get(variable.key)
    if typed is Change.CLEAR or (variable.secret and not typed):
        return None
    value = str(typed).replace("\r\n", "\n") if variable.format == "multiline" else str(typed).strip()
    if not value and not (variable.is_typed_by_tenant and parse(variable.default).is_literal):
        return None
    return None if value == variable.default else value


def form_class(auth_method: AuthMethod, stored: InstanceValues | None, outcome: Outcome | None) -> type[InstanceForm]:
    """The form of one method's instances."""
    definition = definition_of(auth_method)
    operator = frozenset(key for key, value in definition.operator_values().items() if value)
    fields = {
        PREFIX + variable.key: _field(variable, stored, has_operator_value=variable.key in operator)
        for variable in definition.method.asked
    }
    return type(
        "InstanceForm", (InstanceForm,), {**fields, "definition": definition, "stored": stored, "outcome": outcome}
    )


def _field(variable: Variable, stored: InstanceValues | None, *, has_operator_value: bool) -> forms.Field:
    values = stored.values if stored else {}
    common: dict[str, Any] = {
        "label": variable.title,
        "help_text": _help(variable, has_operator_value=has_operator_value),
        "required": variable.required and variable.is_typed_by_tenant and not variable.default,
    }
    if variable.secret:
        at = (stored.set_at if stored else {}).get(variable.key)
        initial = Stored(datetime.fromisoformat(at) if at else None) if values.get(variable.key) else None
        widget = SecretWidget({"class": " ".join(INPUT_CLASSES)}, multiline=variable.format == "multiline")
        return SecretFormField(widget=widget, initial=initial, **common)
    literal = variable.default if variable.is_typed_by_tenant and parse(variable.default).is_literal else ""
    common["initial"] = values.get(variable.key, literal)
    attrs = {**INPUT_ATTRS, **({"placeholder": variable.example} if variable.example else {})}
    if variable.choices:
        options = [(option.value, option.label) for option in variable.options]
        return forms.ChoiceField(choices=[("", "—"), *options], widget=UnfoldAdminSelectWidget, **common)
    if variable.format == "multiline":
        return forms.CharField(strip=False, widget=UnfoldAdminExpandableTextareaWidget(attrs), **common)
    return forms.CharField(widget=UnfoldAdminTextInputWidget(attrs), **common)


def _help(variable: Variable, *, has_operator_value: bool) -> str:
    notes = [variable.help_text]
    if not variable.is_typed_by_tenant:
        source = "the operator's value" if has_operator_value else "the default"
        notes.append(f"The tenant doesn't set this one. Empty: {source} is used.")
    elif variable.default and not parse(variable.default).is_literal:
        notes.append(f"Empty: {variable.default}")
    return " ".join(note for note in notes if note)
