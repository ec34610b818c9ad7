"""API keys in the admin: made and shown once, renamed, revoked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin

from integrations import keys
from integrations.admin.api_key_form import AddApiKeyForm, NameForm
from integrations.admin.api_key_words import ApiKeyWords, StateFilter
from integrations.models import ApiKey

SETTLED = (
    "beginning",
    "state_words",
    "scopes_words",
    "integration_words",
    "tenant_words",
    "created",
    "last_used",
    "expires",
)
RULES = (
    "Only the name can change. For other scopes or bounds make another key, then revoke this one. Revoking works at "
    "once and for good. A key that was used stays on record: only a superuser can delete it."
)


@admin.register(ApiKey)
class ApiKeyAdmin(ApiKeyWords, ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """A key to the HTTP API. Its text is in one answer, that of the request which made it, and nowhere else."""

    list_display = (
        "name",
        "beginning",
        "scopes_listed",
        "integration_words",
        "tenant_words",
        "last_used",
        "expires",
        "state_label",
    )
    list_filter = (
        StateFilter,
        ("integration", admin.RelatedOnlyFieldListFilter),
        ("tenant", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("integration", "tenant")
    list_per_page = 50
    search_fields = ("name", "prefix", "integration__key", "integration__name", "tenant__key", "tenant__name")
    actions = ("revoke_selected",)

    # Forms

    def get_form(
        self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Any]]:
        kwargs["form"] = NameForm if obj else AddApiKeyForm
        form: type[forms.ModelForm[Any]] = super().get_form(request, obj, change=change, **kwargs)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is not None:
            return ((None, {"fields": ("name", *SETTLED), "description": RULES}),)
        description = "The key is shown once, after saving. Only its name can be changed later."
        return ((None, {"fields": AddApiKeyForm.Meta.fields, "description": description}),)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return SETTLED if obj else ()

    # Making a key

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        one_way = {"show_save_and_continue": False, "show_save_and_add_another": False}  # on: the key must be shown
        response: HttpResponse = super().add_view(request, form_url, {**(extra_context or {}), **one_way})
        return response

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])
            return
        row, text = keys.issue(
            obj.name,
            scopes=form.cleaned_data["scopes"],
            integration=obj.integration,
            tenant=obj.tenant,
            expires_at=obj.expires_at,
        )
        obj.pk, obj.prefix, obj.scopes = row.pk, row.prefix, row.scopes  # what the history and the answer name
        vars(request)["issued"] = text

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        # Answered without the redirect that Django makes here: what outlives this request must not hold the key.
        context = {
            **self.admin_site.each_context(request),
            "title": "API key made",
            "opts": self.opts,
            "key": obj,
            "text": vars(request).pop("issued"),
        }
        response = TemplateResponse(request, "admin/integrations/apikey/issued.html", context)
        response["Cache-Control"] = "no-store"
        return response

    # Revoking

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revoke_view)
        return [path("<path:object_id>/revoke/", view, name="integrations_apikey_revoke"), *super().get_urls()]

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        if key is None:
            raise Http404
        back = reverse("admin:integrations_apikey_change", args=(key.pk,))
        return self._revoke(request, ApiKey.objects.filter(pk=key.pk), back)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: models.QuerySet[ApiKey]) -> HttpResponse:
        return self._revoke(request, queryset, reverse("admin:integrations_apikey_changelist"))

    def _revoke(self, request: HttpRequest, chosen: models.QuerySet[ApiKey], back: str) -> HttpResponse:
        """Ask whether these are to be revoked; if that was answered, revoke them."""
        live = list(chosen.filter(revoked_at=None).select_related("integration", "tenant"))
        if request.method == "POST" and "_confirmed" in request.POST:
            for key in live:
                keys.revoke(key, now=timezone.now())
                self.log_change(request, key, "Revoked.")
                messages.success(request, f"Revoked: {key}. The API refuses it from now on.")
        if not live:
            messages.info(request, "Nothing to do: revoked already.")
        if not live or "_confirmed" in request.POST:
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Revoke API keys" if len(live) > 1 else "Revoke API key",
            "opts": self.opts,
            "keys": live,
            "back": back,
        }
        return TemplateResponse(request, "admin/integrations/apikey/revoke.html", context)

    # Deleting

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        may = bool(super().has_delete_permission(request, obj))
        return may and (obj is None or obj.last_used_at is None or bool(request.user.is_superuser))
