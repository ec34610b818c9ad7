"""Integrations in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from connectors.admin.exporting import download
from connectors.oauth2 import definition
from connectors.oauth2.problems import Problem, dotted
from connectors.validation import validated
from integrations.admin.brand import BrandInline
from integrations.admin.drafting import draft_page
from integrations.admin.importing import import_page
from integrations.documents import check_integration, integration_document, known_methods
from integrations.models import Component, Integration

LISTS = ("allowed_redirects", "allowed_origins")


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminExpandableTextareaWidget({"spellcheck": "false"})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and (initial or []) != self.clean(data or "")


class IntegrationForm(forms.ModelForm):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """An integration, checked as its document would be."""

    allowed_redirects = LinesField(
        help_text="Prefixes of the addresses that a session may lead back to, one a line: https://app.example.com/"
    )
    allowed_origins = LinesField(help_text="Origins that may embed the wizard, one a line: https://app.example.com")

    class Meta:
        model = Integration
        fields = ("name", "key", *LISTS)
        help_texts = {"key": "Names the integration in code. It can't change once it is saved."}  # noqa: RUF012

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            document = {
                "kind": "integration",
                "key": self.instance.key or cleaned["key"],
                "name": cleaned["name"],
                **{name: cleaned[name] for name in LISTS},
            }
            shape, problems = validated(definition.Integration, document)
            for problem in problems if shape is None else check_integration(shape, methods=known_methods()):
                self._show(problem)
        return cleaned

    def _show(self, problem: Problem) -> None:
        field = str(problem.path[0]) if problem.path else ""
        line = f"Line {int(problem.path[1]) + 1}: " if len(problem.path) > 1 else ""
        if field in self.fields:
            self.add_error(field, f"{line}{problem}")
        else:
            self.add_error(None, f"{dotted(problem.path)}: {problem}")


class ComponentFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """Components in the order in which they were added."""

    def clean(self) -> None:
        super().clean()
        last = max((form.instance.position for form in self.initial_forms), default=-1)
        for form in self.extra_forms:
            if form.has_changed():
                last += 1
                form.instance.position = last


class ComponentForm(forms.ModelForm):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """What an integration reads: a connector, and perhaps one of its methods."""

    class Meta:
        model = Component
        fields = ("name", "connector", "auth_method")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "name" in self.fields:
            self.fields["name"].disabled = True  # code reads by it

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        connector, method = cleaned.get("connector"), cleaned.get("auth_method")
        if connector and method and method.connector_id != connector.pk:
            names = ", ".join(connector.auth_methods.values_list("name", flat=True)) or "none yet"
            self.add_error(
                "auth_method",
                f"{method} is no method of {connector}. Its methods: {names}. Empty: whichever is connected.",
            )
        return cleaned


class ComponentInline(TabularInline):  # type: ignore[misc]  # (unfold has no types)
    model = Component
    form = ComponentForm
    formset = ComponentFormSet
    extra = 0
    hide_title = True
    fields = ("name", "connector", "auth_method")
    autocomplete_fields = ("connector", "auth_method")


@admin.register(Integration)
class IntegrationAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """A piece of the host's own code that reads tokens."""

    form = IntegrationForm
    list_display = ("name", "key", "components_count", "updated_at")
    list_per_page = 50
    search_fields = ("name", "key")
    fields = ("name", "key", *LISTS)
    inlines = (ComponentInline, BrandInline)
    actions = ("export_yaml",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Integration]:
        integrations: models.QuerySet[Integration] = super().get_queryset(request)
        return integrations.annotate(components_total=models.Count("components"))

    def get_urls(self) -> list[URLPattern]:
        imports, drafts = self.admin_site.admin_view(self.import_view), self.admin_site.admin_view(self.draft_view)
        return [
            path("import/", imports, name="integrations_integration_import"),
            path("draft/", drafts, name="integrations_integration_draft"),
            *super().get_urls(),
        ]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        return import_page(request, self.admin_site)

    def draft_view(self, request: HttpRequest) -> HttpResponse:
        return draft_page(request, self.admin_site)

    @admin.action(description="Export to YAML", permissions=["view"])
    def export_yaml(self, request: HttpRequest, queryset: models.QuerySet[Integration]) -> HttpResponse:
        chosen = Integration.objects.prefetch_related("components__connector", "components__auth_method")
        rows = chosen.filter(pk__in=queryset.values("pk")).order_by("key")
        return download([integration_document(row) for row in rows])

    def get_readonly_fields(self, request: HttpRequest, obj: Integration | None = None) -> tuple[str, ...]:
        return ("key",) if obj else ()

    @admin.display(description="components", ordering="components_total")
    def components_count(self, integration: Any) -> int:
        return int(integration.components_total)
