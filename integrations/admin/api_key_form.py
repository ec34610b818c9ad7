"""The forms of an API key: everything once, later the name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from integrations.models import ApiKey


class NameForm(forms.ModelForm):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """What can change once a key is in use."""

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = ("name",)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("A name is one line of printable characters.")
        return name


class AddApiKeyForm(NameForm):
    """What a key may do, and for how long."""

    scopes = forms.MultipleChoiceField(
        choices=[(value, f"{label} ({value})") for value, label in ApiKey.Scope.choices],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What the key may do. Choose no more than its user needs.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "integration", "tenant", "expires_at")
        help_texts = {  # noqa: RUF012
            "integration": "What the key reaches: everything, or only what this integration's components read.",
            "tenant": "Whose instances the key reaches: everybody's, or this tenant's alone.",
            "expires_at": "In UTC. Empty: no expiry.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("integration", "tenant"):
            # Plain lists, too: one that is filled by a script would, without it, leave the key bound to nothing.
            vars(self.fields[name])["empty_label"] = f"every {name}"

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("This moment has passed (times are in UTC). Choose a later one, or none.")
        return expires_at
