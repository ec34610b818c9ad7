"""An integration's brand in the admin, beside the integration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http.request import validate_host
from django.utils.safestring import SafeString
from unfold.admin import StackedInline
from unfold.widgets import UnfoldAdminTextInputWidget

from connectors.admin.fields import switch
from connectors.admin.logo import LogoField, picture
from connectors.oauth2.hosts import BadAddress, checked_host
from integrations import colours
from integrations.models import Brand

OWN = ("name", "accent", "header", "support_url", "custom_domain")


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """Name, logo, colours, support link and domain, each checked before a tenant's user sees it."""

    logo_file = LogoField(label="New logo", help_text="PNG, JPEG, WebP or GIF, at most 64 KB; a square looks best.")
    remove_logo = switch("Remove the logo")

    class Meta:
        model = Brand
        fields = OWN
        widgets = {  # noqa: RUF012
            name: UnfoldAdminTextInputWidget({"placeholder": "#1a6091", "spellcheck": "false"})
            for name in ("accent", "header")
        }

    def clean_accent(self) -> str:
        accent = str(self.cleaned_data["accent"]).lower()
        if colours.is_colour(accent) and (problem := colours.problem_with(accent)):
            raise forms.ValidationError(problem, code="contrast")
        return accent

    def clean_support_url(self) -> str:
        address = str(self.cleaned_data["support_url"]).strip()
        is_mail = address.startswith("mailto:") and "@" in address
        if address and not (address.isprintable() and (is_mail or address.startswith("https://"))):
            raise forms.ValidationError("Write an https address, or mailto: and an e-mail address.", code="scheme")
        return address

    def clean_custom_domain(self) -> str:
        domain = str(self.cleaned_data["custom_domain"]).strip().lower()
        if not domain:
            return ""
        problem = ""
        try:
            checked_host(domain)
        except BadAddress as error:
            problem = f"This can't be used: {error}. Write a host name without scheme, port or path."
        if problem:
            raise forms.ValidationError(problem, code="host")
        if not validate_host(domain, settings.CUSTOM_DOMAINS):
            raise forms.ValidationError(
                f"Latchkey doesn't answer under this domain yet. Add {domain} to CUSTOM_DOMAINS in the settings, "
                "restart, and save this again.",
                code="unknown",
            )
        return domain

    def save(self, commit: bool = True) -> Brand:
        if self.cleaned_data.get("remove_logo"):
            self.instance.logo = b""
        if content := self.cleaned_data.get("logo_file"):
            self.instance.logo = content
        brand: Brand = super().save(commit)
        return brand


class BrandInline(StackedInline):  # type: ignore[misc]  # (unfold has no types)
    model = Brand
    form = BrandForm
    extra = 0
    verbose_name = verbose_name_plural = "brand of the set-up pages"
    readonly_fields = ("logo_now",)
    fields = ("name", "logo_now", "logo_file", "remove_logo", "accent", "header", "support_url", "custom_domain")

    @admin.display(description="logo")
    def logo_now(self, brand: Brand) -> SafeString:
        return picture(bytes(brand.logo), str(brand))

    def get_formset(self, *args: Any, **kwargs: Any) -> Any:
        # The file and the switch are the form's own; the model has no such fields to build.
        return super().get_formset(*args, **{**kwargs, "fields": OWN})
