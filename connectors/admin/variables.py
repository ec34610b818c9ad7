"""Variables, as rows on the page of what they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db import models
from django.forms import BaseInlineFormSet
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import StackedInline
from unfold.widgets import BASE_INPUT_CLASSES, UnfoldAdminExpandableTextareaWidget, UnfoldAdminTextInputWidget

from connectors.admin.checking import check_method, check_own, operator_problems, sentence, unused_variables
from connectors.admin.sections import field_of
from connectors.admin.spare_row import blank_rows
from connectors.admin.texts import TextsKept, unchanged
from connectors.models import AuthMethod, Variable
from connectors.oauth2.definition import SUPPLIED_KEYS
from connectors.oauth2.problems import Path, Problem
from connectors.secret_forms import SecretWidget

ONE_LINE = ("label", "default_from_env", "pattern")
GROWING = ("default", "help_text", "example")


def edited_by(owner: models.Model, form: forms.ModelForm[Any]) -> None:
    """Remember the valid form whose object `owner` is: its variables are checked together with it."""
    vars(owner)["_edited_by"] = form


def _form_of(owner: models.Model) -> forms.ModelForm[Any] | None:
    form: forms.ModelForm[Any] | None = vars(owner).get("_edited_by")
    return form


class ChoicesField(forms.CharField):
    """Choices, one a line: a value, or `value | label`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, widget=UnfoldAdminExpandableTextareaWidget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else choices_text(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and not unchanged(choices_text(initial or []), data or "")


def choices_text(choices: Sequence[Any]) -> str:
    return "\n".join(
        choice if isinstance(choice, str) else f"{choice['value']} | {choice['label']}" for choice in choices
    )


def read_choices(text: str, before: Sequence[Any]) -> list[Any]:
    if unchanged(choices_text(before), text):
        return list(before)
    lines = (line.strip() for line in text.splitlines())
    parts = (line.partition(" | ") for line in lines if line)
    return [
        {"value": value.strip(), "label": label.strip()} if separator else value for value, separator, label in parts
    ]


class VariableForm(TextsKept):
    """One variable. Its key is settled once it is stored."""

    choices = ChoicesField(help_text="Makes a drop-down. One choice a line: the value, or “value | label”.")
    position = forms.IntegerField(
        min_value=0,
        required=False,
        label="Order",
        help_text="Variables are asked for in this order. Empty: last.",
        widget=UnfoldAdminTextInputWidget({"inputmode": "numeric"}),
    )

    class Meta:
        model = Variable
        exclude = ("connector", "auth_method", "stated", "operator_value_set_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "key" in self.fields:
            self.fields["key"].disabled = True
            self.fields["key"].widget.attrs["title"] = f"What {{{{{self.instance.key}}}}} refers to. It can't change."
        if self.instance.pk:
            self.initial["choices"] = self.instance.choices

    @property
    def is_supplied(self) -> bool:
        return bool(self.instance.pk and self.instance.auth_method_id and self.instance.key in SUPPLIED_KEYS)

    def save(self, commit: bool = True) -> Variable:
        if "operator_value" in self.changed_data:
            self.instance.operator_value_set_at = timezone.now() if self.instance.operator_value else None
        row: Variable = super().save(commit)
        return row

    def clean_choices(self) -> list[Any]:
        return read_choices(self.cleaned_data["choices"], self.instance.choices or [])


class VariableFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # (as above)
    """The variables of a connector or of a method, checked together with it as one definition."""

    is_refused = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.instance
        unused = unused_variables(owner) if isinstance(owner, AuthMethod) and owner.pk else frozenset()
        for form in self.initial_forms:
            row = form.instance
            note = " · not used" if row.key in unused else ""
            # What unfold heads the row with.
            vars(row)["get_inline_title"] = f"{row.key}{note}"

    def add_fields(self, form: VariableForm, index: int | None) -> None:
        super().add_fields(form, index)
        if form.is_supplied and DELETION_FIELD_NAME in form.fields:
            form.fields[DELETION_FIELD_NAME].disabled = True  # so that no forged one counts either

    def is_valid(self) -> bool:
        return super().is_valid() and not self.is_refused

    def rows(self) -> list[VariableForm]:
        """The forms of what is to be stored, in their order."""
        kept = [
            form
            for form in self.forms
            if (form.instance.pk or form.has_changed())
            and not (self.can_delete and form.cleaned_data.get(DELETION_FIELD_NAME))
        ]
        last = max((row.position for form in kept if (row := form.instance).position is not None), default=-1)
        for form in kept:
            if form.cleaned_data.get("position") is None:
                last += 1
                form.instance.position = last
            if form.instance.pk is None and form.instance.stated is None:
                form.instance.stated = []
        return sorted(kept, key=lambda form: (form.instance.position, form.instance.pk or float("inf")))

    def clean(self) -> None:
        super().clean()
        editing = _form_of(self.instance)
        if any(self.errors) or editing is None:
            return
        shown = self.rows()
        rows = [form.instance for form in shown]
        owner = self.instance
        problems, here = check_method(owner, rows) if isinstance(owner, AuthMethod) else check_own(owner, rows)
        for problem in problems:
            is_here = problem.path[: len(here)] == here
            if not (is_here and self._place(problem, problem.path[len(here) :], editing, shown)):
                editing.add_error(None, sentence(problem))
                self.is_refused = True
        self._check_operator_values(shown)

    def _check_operator_values(self, shown: Sequence[VariableForm]) -> None:
        """Said while it can be mended at once: what was typed is not shown again."""
        typed = [form.instance.key for form in shown if "operator_value" in form.changed_data]
        if not typed:
            return
        problems = operator_problems(self.instance, [form.instance for form in shown], typed, timezone.now())
        for form in shown:
            if problem := problems.get(form.instance.key):
                form.add_error("operator_value", problem)

    def _place(
        self, problem: Problem, path: Path, editing: forms.ModelForm[Any], shown: Sequence[VariableForm]
    ) -> bool:
        """Show the problem beside what it is about. False: there is no such place on this page."""
        if path[:1] == ("variables",) and len(path) > 1 and isinstance(path[1], int):
            form = shown[path[1]]
            field = str(path[2]) if len(path) > 2 else ""
            form.add_error(field if field in form.fields else None, str(problem))
            return True
        return _place_in_form(problem, path, editing) and self._refuse()

    def _refuse(self) -> bool:
        self.is_refused = True
        return True


def _place_in_form(problem: Problem, path: Path, editing: forms.ModelForm[Any]) -> bool:
    field, row = field_of(path)
    field = field or str(path[0])
    if field not in editing.fields:
        return False
    editing.add_error(field, f"{row}: {problem}" if row else str(problem))
    return True


class VariableInline(StackedInline):  # type: ignore[misc]  # (unfold has no types)
    """A connector's or a method's variables."""

    model = Variable
    form = VariableForm
    formset = VariableFormSet
    template_after = "admin/connectors/add_variable.html"
    fieldsets = (
        (None, {"fields": (("key", "label", "default", "display"), ("required", "secret"))}),
        (
            "More: help, form, operator's value, order",
            {
                "classes": ("collapse",),
                "fields": (
                    ("help_text", "example"),
                    ("format", "pattern"),
                    ("choices", "position"),
                    ("operator_value", "default_from_env"),
                ),
            },
        ),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ONE_LINE:
            kwargs["widget"] = UnfoldAdminTextInputWidget
        elif db_field.name in GROWING:
            kwargs["widget"] = UnfoldAdminExpandableTextareaWidget
        elif db_field.name == "operator_value":
            # Of several lines, for a key may be one in PEM.
            return db_field.formfield(widget=SecretWidget({"class": " ".join(BASE_INPUT_CLASSES)}, multiline=True))
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return blank_rows(request)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Variable]:
        rows: models.QuerySet[Variable] = super().get_queryset(request)
        return rows.order_by("position", "pk")


class ConnectorVariableInline(VariableInline):
    fk_name = "connector"
    verbose_name_plural = "connector variables"


class MethodVariableInline(VariableInline):
    fk_name = "auth_method"
