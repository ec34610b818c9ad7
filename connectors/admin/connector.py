"""Connectors in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminExpandableTextareaWidget, UnfoldAdminTextInputWidget

from connectors.admin.catalogue import CatalogueMixin
from connectors.admin.checking import check_own, sentence
from connectors.admin.exporting import download
from connectors.admin.fields import switch
from connectors.admin.impact import ImpactMixin
from connectors.admin.in_use import InUseMixin, instances_link
from connectors.admin.logo import LogoField, picture
from connectors.admin.spare_row import SpareRowMixin
from connectors.admin.texts import TextsKept
from connectors.admin.variables import ConnectorVariableInline, edited_by
from connectors.documents import connector_document
from connectors.models import Connector


class ConnectorForm(TextsKept):
    """A connector, without its methods, which have pages of their own."""

    logo_file = LogoField(label="New logo", help_text="PNG, JPEG, WebP or GIF, at most 64 KB; a square looks best.")
    remove_logo = switch("Remove the logo")

    class Meta:
        model = Connector
        fields = ("name", "key", "description", "category", "documentation_url", "base_url")
        widgets = {  # noqa: RUF012
            "description": UnfoldAdminExpandableTextareaWidget,
            "documentation_url": UnfoldAdminTextInputWidget,
            "base_url": UnfoldAdminTextInputWidget({"spellcheck": "false"}),
        }
        help_texts = {  # noqa: RUF012
            "key": "Names the connector in code and in documents. It can't change once it is saved.",
            "category": "Groups connectors in lists, such as communication or storage.",
            "base_url": "Where the API lives, such as https://api.example.com/v2. May hold the connector's variables, "
            "as in {{region}}, and what methods keep, as in {{response.name}}. Methods read it as {{base_url}}.",
        }

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # (the stubs leave out what is private)
        if self.cleaned_data.get("remove_logo"):
            self.instance.logo = b""
        if content := self.cleaned_data.get("logo_file"):
            self.instance.logo = content
        if self.instance.pk is None and not self.errors:
            # Later on it is checked together with its variables.
            for problem in check_own(self.instance, [])[0]:
                field = str(problem.path[0]) if problem.path else ""
                is_shown = field in self.fields
                self.add_error(field if is_shown else None, str(problem) if is_shown else sentence(problem))


@admin.register(Connector)
class ConnectorAdmin(ImpactMixin, CatalogueMixin, InUseMixin, SpareRowMixin, ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """A connector's own page: what all its methods share."""

    form = ConnectorForm
    list_display = ("name", "key", "category", "methods_count", "instances_count", "catalogue")
    list_filter = ("category",)
    list_per_page = 50
    list_before_template = "admin/connectors/list_before.html"
    search_fields = ("name", "key", "category", "description")
    readonly_fields = ("logo_now", "used_by", "catalogue", "methods")
    inlines = (ConnectorVariableInline,)
    actions = ("export_yaml",)
    warn_unsaved_form = True
    _own = ("name", "key", "description", "category", "documentation_url", "base_url")

    class Media:
        js = ("connectors/tabs.js",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Connector]:
        connectors: models.QuerySet[Connector] = super().get_queryset(request)
        return connectors.defer("logo").annotate(
            methods_total=models.Count("auth_methods", distinct=True),
            instances_total=models.Count("instances", distinct=True),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Connector | None = None) -> tuple[str, ...]:
        return ("key", *self.readonly_fields) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Connector | None = None) -> Any:
        if obj is None:
            return (("Connector", {"fields": (*self._own, "logo_file")}),)
        return (
            ("Connector", {"fields": (*self._own, "logo_now", "logo_file", "remove_logo", "used_by", "catalogue")}),
            ("Authentication methods", {"fields": ("methods",)}),
        )

    def get_inline_instances(self, request: HttpRequest, obj: Connector | None = None) -> list[Any]:
        return super().get_inline_instances(request, obj) if obj else []

    def save_form(self, request: HttpRequest, form: forms.ModelForm[Any], change: bool) -> Any:
        connector = super().save_form(request, form, change)
        edited_by(connector, form)
        return connector

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.auth_methods.all().touch()

    @admin.action(description="Export to YAML", permissions=["view"])
    def export_yaml(self, request: HttpRequest, queryset: models.QuerySet[Connector]) -> HttpResponse:
        chosen = Connector.objects.with_definitions().filter(pk__in=queryset.values("pk")).order_by("key")
        return download([connector_document(row) for row in chosen])

    # What is shown

    @admin.display(description="methods", ordering="methods_total")
    def methods_count(self, connector: Any) -> int:
        return int(connector.methods_total)

    @admin.display(description="instances", ordering="instances_total")
    def instances_count(self, connector: Any) -> int:
        return int(connector.instances_total)

    @admin.display(description="logo")
    def logo_now(self, connector: Connector) -> SafeString:
        return picture(bytes(connector.logo), connector.name)

    @admin.display(description="used by")
    def used_by(self, connector: Connector) -> SafeString:
        return instances_link(connector)

    @admin.display(description="")
    def methods(self, connector: Connector) -> SafeString:
        methods = list(connector.auth_methods.annotate(instances_total=models.Count("instances")))
        add = f"{reverse('admin:connectors_authmethod_add')}?connector={connector.pk}"
        return SafeString(render_to_string("admin/connectors/methods.html", {"methods": methods, "add": add}))
