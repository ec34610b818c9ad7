"""Texts that a form gives back as it got them, so that saving a page changes only what was changed on it."""

from typing import Any

from django import forms

from connectors.admin.rows import plain


def unchanged(shown: str, typed: str) -> bool:
    """Whether a browser that was shown one text and sends the other has left it alone.

    Line breaks come back as CRLF, and one-line fields are stripped. Of a text that begins with a line break the browser
    drops it: the first one behind `<textarea>` counts as none.
    """
    text = plain(shown)
    return plain(typed) in (text, text.strip(), text.removeprefix("\n"))


class TextsKept(forms.ModelForm):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """A model's form in which a text that was left alone stays as it is stored, to the last line break."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.CharField) and isinstance(field.widget, forms.Textarea):
                field.strip = False

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]  # (the stubs leave out what is private)
        for name, typed in self.cleaned_data.items():
            stored = self.initial.get(name)
            if isinstance(typed, str) and isinstance(stored, str):
                self.cleaned_data[name] = stored if unchanged(stored, typed) else plain(typed)
            elif isinstance(typed, str):
                self.cleaned_data[name] = plain(typed)
