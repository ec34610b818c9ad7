"""Form fields of the admin's pages, drawn as its theme draws them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


def text(label: str, help_text: str = "", *, required: bool = False, **attrs: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget({**_CODE, **attrs})
    return forms.CharField(label=label, help_text=help_text, required=required, widget=widget)


def lines(label: str, help_text: str = "") -> forms.CharField:
    """One thing a line."""
    widget = UnfoldAdminExpandableTextareaWidget({**_CODE, "rows": 1})
    return forms.CharField(label=label, help_text=help_text, required=False, strip=False, widget=widget)


def long_text(label: str, help_text: str = "", *, rows: int = 8, **attrs: Any) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget({**_CODE, "rows": rows, **attrs})
    return forms.CharField(label=label, help_text=help_text, required=False, strip=False, widget=widget)


def choice(label: str, choices: Iterable[tuple[str, str]], help_text: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, help_text=help_text, choices=list(choices), widget=UnfoldAdminSelectWidget)


def number(label: str, help_text: str = "") -> forms.IntegerField:
    widget = UnfoldAdminTextInputWidget({"inputmode": "numeric"})
    return forms.IntegerField(label=label, help_text=help_text, required=False, widget=widget)


def switch(label: str, help_text: str = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False, widget=UnfoldBooleanSwitchWidget)
