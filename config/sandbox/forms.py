"""What the console asks for when a client is made."""

from typing import Any

from django import forms
from django.conf import settings

from config.sandbox.models import DEFAULT_LIFETIME, SCOPES

LIFETIMES = ((60, "60 seconds"), (90, "90 seconds"), (120, "2 minutes"), (3600, "1 hour"))


class ClientForm(forms.Form):
    name = forms.CharField(max_length=200, initial="My first client", help_text="For yourself, to tell clients apart.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope, f"{scope}: {settings.OAUTH2_PROVIDER['SCOPES'][scope]}") for scope in SCOPES],
        initial=SCOPES,
        widget=forms.CheckboxSelectMultiple,
        help_text="What the client's tokens may do.",
    )
    token_lifetime = forms.TypedChoiceField(
        choices=LIFETIMES,
        coerce=int,
        initial=DEFAULT_LIFETIME,
        help_text="How long a token works. The shorter, the sooner you see a renewal.",
    )

    def clean_scopes(self) -> str:
        return " ".join(self.cleaned_data["scopes"])

    def as_registered(self) -> dict[str, Any]:
        """Arguments of `Client.objects.register`."""
        return {name: self.cleaned_data[name] for name in ("name", "scopes", "token_lifetime")}
