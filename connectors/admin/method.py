"""Authentication methods in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from connectors.admin.impact import ImpactMixin
from connectors.admin.in_use import InUseMixin, instances_link
from connectors.admin.method_form import AddMethodForm, MethodForm, supplied_variables
from connectors.admin.sections import fields_of
from connectors.admin.spare_row import SpareRowMixin
from connectors.admin.try_page import with_bench
from connectors.admin.trying import BUTTON, TriedAddMethodForm, TriedMethodForm
from connectors.admin.variables import MethodVariableInline, edited_by
from connectors.markdown import render
from connectors.models import AuthMethod, Variable


@admin.register(AuthMethod)
class AuthMethodAdmin(ImpactMixin, InUseMixin, SpareRowMixin, ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """One page for everything that an authentication method says."""

    form = MethodForm
    list_display = ("name", "connector", "key", "authentication", "instances_count")
    list_display_links = ("name",)
    list_filter = (("connector", admin.RelatedOnlyFieldListFilter), "type")
    list_select_related = ("connector",)
    list_per_page = 50
    search_fields = ("name", "key", "connector__name", "connector__key")
    autocomplete_fields = ("connector",)
    readonly_fields = ("connector_link", "key", "type", "used_by")
    inlines = (MethodVariableInline,)
    warn_unsaved_form = True
    add_fieldsets = (
        (
            None,
            {
                "fields": ("connector", "name", "key", "type", "token_url"),
                "description": "The type supplies the variables, the headers and the body. "
                "Save, and they are filled in for you to change.",
            },
        ),
    )
    fieldsets = (
        ("Method", {"fields": ("name", "connector_link", "key", "type", "used_by")}),
        (
            "Token URL",
            {
                "fields": (
                    "request_method",
                    "token_url",
                    "query",
                    "client_authentication",
                    "basic_encoding",
                    "assertion",
                    "tls_certificate",
                    "tls_private_key",
                    "dpop",
                    "steps_text",
                )
            },
        ),
        ("Headers", {"fields": ("headers",)}),
        ("Body", {"fields": ("body_format", "body", "body_text")}),
        (
            "Response",
            {
                "fields": (
                    "access_token_path",
                    "token_type_path",
                    "expires_in_path",
                    "expires_in_unit",
                    "expires_at_path",
                    "default_lifetime",
                    "keep",
                    "error_path",
                    "error_description_path",
                    "credentials_codes",
                    "retry_codes",
                )
            },
        ),
        (
            "API requests",
            {
                "fields": (
                    "api_headers",
                    "api_query",
                    "test_url",
                    "test_method",
                    "expect_status",
                    "early",
                    "on_status",
                    "on_body",
                    "invalidates_previous",
                    "max_requests",
                )
            },
        ),
        ("Instructions", {"fields": ("instructions",)}),
    )

    class Media:
        js = ("connectors/tabs.js", "connectors/rows.js", "connectors/method.js")

    # What is shown

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[AuthMethod]:
        methods: models.QuerySet[AuthMethod] = super().get_queryset(request)
        return methods.defer("connector__logo").annotate(instances_total=models.Count("instances", distinct=True))

    @admin.display(description="instances", ordering="instances_total")
    def instances_count(self, method: Any) -> int:
        return int(method.instances_total)

    @admin.display(description="client authentication")
    def authentication(self, method: AuthMethod) -> str:
        return str((method.token_request or {}).get("client_authentication", "client_secret_post"))

    @admin.display(description="connector")
    def connector_link(self, method: AuthMethod) -> SafeString:
        address = reverse("admin:connectors_connector_change", args=(method.connector_id,))
        return format_html('<a href="{}" class="lk-link">{}</a>', address, str(method.connector))

    @admin.display(description="used by")
    def used_by(self, method: AuthMethod) -> SafeString:
        return instances_link(method)

    def get_inline_instances(self, request: HttpRequest, obj: AuthMethod | None = None) -> list[Any]:
        return super().get_inline_instances(request, obj) if obj else []

    # Adding: first what the type needs to supply the rest

    def get_readonly_fields(self, request: HttpRequest, obj: AuthMethod | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def get_form(
        self, request: HttpRequest, obj: AuthMethod | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Any]]:
        if obj is None:
            kwargs["form"] = TriedAddMethodForm if BUTTON in request.POST else AddMethodForm
        elif BUTTON in request.POST:
            kwargs["form"] = TriedMethodForm
        form: type[forms.ModelForm[Any]] = super().get_form(request, obj, change=change, **kwargs)
        return form

    def response_add(self, request: HttpRequest, obj: AuthMethod, post_url_continue: str | None = None) -> HttpResponse:
        if "_addanother" not in request.POST and "_popup" not in request.POST:
            # As Django's UserAdmin does it: the second step is the page of what was just added.
            posted = request.POST.copy()
            posted["_continue"] = "1"
            request.POST = posted  # type: ignore[assignment]  # (the stubs want an immutable one)
        response: HttpResponse = super().response_add(request, obj, post_url_continue)
        return response

    # Saving

    def save_form(self, request: HttpRequest, form: forms.ModelForm[Any], change: bool) -> Any:
        method = super().save_form(request, form, change)
        edited_by(method, form)
        return method

    def save_model(self, request: HttpRequest, obj: AuthMethod, form: Any, change: bool) -> None:
        if not change:
            last = AuthMethod.objects.filter(connector=obj.connector_id).aggregate(last=models.Max("position"))["last"]
            obj.position = 0 if last is None else last + 1
        super().save_model(request, obj, form, change)
        if not change:
            Variable.objects.bulk_create(supplied_variables(obj))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        AuthMethod.objects.filter(pk=form.instance.pk).touch()

    # Trying

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        def page() -> HttpResponse:
            response: HttpResponse = super(AuthMethodAdmin, self).changeform_view(
                request, object_id, form_url, extra_context
            )
            return response

        # The page's own transaction is over when it is tried: none is open while the network is in use.
        return with_bench(request, page)

    # The preview of the instructions

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        return [path("preview/", view, name="connectors_authmethod_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The Markdown of `instructions` as HTML."""
        if not (self.has_view_or_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        return TemplateResponse(
            request, "admin/connectors/preview.html", {"preview": render(request.POST.get("instructions", ""))}
        )


def _said(field: str) -> Callable[[AuthMethod], str]:
    """What a section says, in words, for those who may look but not change."""

    @admin.display(description=MethodForm.base_fields[field].label)
    def words(method: AuthMethod) -> str:
        shown = fields_of(method)[field]
        if isinstance(shown, list):
            return "\n".join(f"{row.name}: {'(not sent)' if row.off else row.value}" for row in shown)
        return "" if shown is None else str(shown)

    return words


for _field in MethodForm.declared_fields:
    setattr(AuthMethodAdmin, _field, staticmethod(_said(_field)))
