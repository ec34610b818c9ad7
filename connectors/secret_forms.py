"""Form fields for secrets: they take one, say that one is stored, and never show it."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.forms.boundfield import BoundField
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString


class Change(Enum):
    """What a form says about a stored secret when no new one was typed; stands in `cleaned_data` instead of a text."""

    KEEP = "kept"
    CLEAR = "cleared"


@dataclass(frozen=True, slots=True)
class Stored:
    """The initial value of a secret field: something is stored, since `at` if that is known. Never what it is."""

    at: date | None = None

    def __str__(self) -> str:
        if self.at is None:
            return "Set. Leave empty to keep it; type to replace."
        return f"Set on {date_format(self.at, 'DATE_FORMAT')}. Leave empty to keep it; type to replace."


class SecretWidget(forms.Widget):
    """An empty input (or text area), whatever is stored or was typed; with a box to clear what is stored."""

    def __init__(self, attrs: dict[str, Any] | None = None, *, multiline: bool = False) -> None:
        super().__init__(attrs)
        self.multiline = multiline
        self.stored: Stored | None = None
        self.clearable = False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The HTML. `value` is left alone: it may be what was just typed."""
        final = {"autocomplete": "off", "spellcheck": "false", **self.build_attrs(self.attrs, attrs)}
        note_id = f"{final.get('id', name)}_stored"
        inner = forms.Textarea({"rows": 6}) if self.multiline else forms.PasswordInput(render_value=False)
        if self.stored:
            final["aria-describedby"] = f"{final.get('aria-describedby', '')} {note_id}".strip()
        parts = [inner.render(name, None, final, renderer)]
        if self.stored:
            parts.append(format_html('<p class="help secret-stored" id="{}">{}</p>', note_id, str(self.stored)))
        if self.stored and self.clearable:
            box = forms.CheckboxInput().render(_clear(name), False, {"id": f"{note_id}_clear"}, renderer)
            parts.append(format_html('<label class="secret-clear">{} Clear it</label>', box))
        return SafeString("".join(parts))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        typed = data.get(name)
        if typed:
            return typed
        return Change.CLEAR if forms.CheckboxInput().value_from_datadict(data, files, _clear(name)) else ""

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and _clear(name) not in data

    def use_required_attribute(self, initial: Any) -> bool:
        return super().use_required_attribute(initial) and self.stored is None


class SecretFormField(forms.Field):
    """Takes a secret of one line or, with `multiline`, of several.

    Cleans to the text, or to `Change.KEEP` or `Change.CLEAR`; to "" where nothing is stored and nothing was typed.
    `initial` is a `Stored` if something is stored already.
    """

    widget = SecretWidget

    def __init__(self, *, multiline: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("widget", SecretWidget(multiline=multiline))
        super().__init__(**kwargs)
        self.validators.append(ProhibitNullCharactersValidator())

    def get_bound_field(self, form: Any, field_name: str) -> BoundField:
        """Told by the form, which has its own copy of this field, what is stored."""
        initial = form.get_initial_for_field(self, field_name)
        if isinstance(self.widget, SecretWidget):
            # Whatever a form was handed as initial, only that there is something is kept of it.
            self.widget.stored = initial if isinstance(initial, Stored) else Stored() if initial else None
            self.widget.clearable = not self.required
        return super().get_bound_field(form, field_name)

    @property
    def _stored(self) -> bool:
        return isinstance(self.widget, SecretWidget) and self.widget.stored is not None

    def clean(self, value: Any) -> Any:
        if value is Change.CLEAR:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return Change.CLEAR if self._stored else ""
        if isinstance(value, Stored):  # a disabled field cleans its initial value
            return Change.KEEP
        # A browser sends line breaks as CRLF; a secret that was pasted often brings a line break at its end.
        text = str(value or "").replace("\r\n", "\n").strip()
        if not text and self._stored:
            return Change.KEEP
        return super().clean(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        if data is Change.CLEAR and not initial:
            return False
        return not self.disabled and bool(data)


def _clear(name: str) -> str:
    return f"{name}-clear"
