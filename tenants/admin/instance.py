"""Instances in the admin: added, mended, watched."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from connectors.models import AuthMethod
from connectors.oauth2.errors import LatchkeyError
from tenants import connecting
from tenants.admin.choosing import ChoiceForm
from tenants.admin.instance_form import PREFIX, InstanceForm, Outcome, form_class
from tenants.admin.instance_words import InstanceWords, said_of
from tenants.models import Instance, InstanceValues, Token

_OF_SECRETS = ("secret_expires", "next_secret")


@admin.register(Instance)
class InstanceAdmin(InstanceWords, ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """One tenant's use of one method. Values are changed by asking the provider, never merely stored."""

    form = InstanceForm
    list_display = ("display_name", "tenant", "connector", "auth_method", "status_label", "expires")
    list_filter = (
        "status",
        ("connector", admin.RelatedOnlyFieldListFilter),
        ("auth_method", admin.RelatedOnlyFieldListFilter),
        ("tenant", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("tenant", "connector", "auth_method", "token")
    list_per_page = 50
    search_fields = ("name", "tenant__key", "tenant__name", "connector__key", "connector__name")
    actions = ("pause_selected", "resume_selected")
    readonly_fields = (
        "tenant_link",
        "method_link",
        "status_words",
        "status_reason",
        "token_state",
        "last_renewal",
        "next_renewal",
        "secret_expires",
        "next_secret",
        "readers",
        "history",
    )
    change_form_template = "admin/connectors/change_form.html"

    class Media:
        js = ("connectors/tabs.js",)

    # Lists

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Instance]:
        instances: models.QuerySet[Instance] = super().get_queryset(request)
        return instances.select_related(*self.list_select_related).defer("token__secrets", "connector__logo")

    # Forms

    def get_form(
        self, request: HttpRequest, obj: Instance | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Any]]:
        kwargs["form"] = self._form_class(request, obj)
        form: type[forms.ModelForm[Any]] = super().get_form(request, obj, change=change, **kwargs)
        return form

    def _form_class(self, request: HttpRequest, obj: Instance | None) -> type[InstanceForm]:
        outcome = vars(request).get("outcome")
        if obj is not None:
            return form_class(obj.auth_method, InstanceValues.objects.filter(pk=obj.pk).first(), outcome)
        choice = ChoiceForm(request.GET)
        if not choice.is_valid():
            raise PermissionDenied
        return form_class(choice.cleaned_data["auth_method"], None, outcome)

    def get_fieldsets(self, request: HttpRequest, obj: Instance | None = None) -> Any:
        names = [name for name in self._form_class(request, obj).base_fields if name.startswith(PREFIX)]
        if obj is None:
            return ((None, {"fields": ("name", *names), "description": self._heading(request)}),)
        watched = (
            "status_words",
            "status_reason",
            "token_state",
            "last_renewal",
            "next_renewal",
            *_OF_SECRETS,
            "readers",
        )
        return (
            ("Instance", {"fields": ("name", "tenant_link", "method_link", *watched)}),
            *([("Values", {"fields": tuple(names)})] if self.has_change_permission(request, obj) else []),
            ("History", {"fields": ("history",)}),
        )

    def _heading(self, request: HttpRequest) -> SafeString:
        chosen = ChoiceForm(request.GET)
        chosen.is_valid()
        method: AuthMethod = chosen.cleaned_data["auth_method"]
        return format_html(
            "<p>{}: {}, for {}. Saving asks the provider for a token at once; nothing is stored if it refuses.</p>",
            method.connector.name,
            method.name,
            str(chosen.cleaned_data["tenant"]),
        )

    # Asking the provider

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        choice = ChoiceForm(request.GET if {"tenant", "auth_method"} <= set(request.GET) else None, initial=request.GET)
        if not choice.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": "Add instance",
                "opts": self.opts,
                "form": choice,
            }
            return TemplateResponse(request, "admin/tenants/instance/choose.html", context)
        response: HttpResponse = super().add_view(request, form_url, extra_context)
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "POST":
            instance = self.get_object(request, unquote(object_id)) if object_id else None
            if object_id and instance is None:
                response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
                return response
            if not (self.has_change_permission(request, instance) if instance else self.has_add_permission(request)):
                raise PermissionDenied
            if instance is not None and {"_pause", "_resume"} & set(request.POST):
                return self._switch(request, instance)
            # Django saves in one transaction, and none may be open while the network is in use: so it is asked before.
            vars(request)["outcome"] = self._ask(request, instance)
        response = super().changeform_view(request, object_id, form_url, extra_context)
        return response

    def _ask(self, request: HttpRequest, instance: Instance | None) -> Outcome | None:
        form: Any = self.get_form(request, instance, change=instance is not None)(request.POST, instance=instance)
        if not form.is_valid():
            return None
        try:
            return Outcome(self._asked(request, instance, form))
        except LatchkeyError as error:
            return Outcome(error=error)

    def _asked(self, request: HttpRequest, instance: Instance | None, form: InstanceForm) -> Instance:
        typed, name = form.typed(), form.cleaned_data["name"]
        if instance is None:
            choice = ChoiceForm(request.GET)
            choice.is_valid()
            return connecting.connect(
                choice.cleaned_data["tenant"],
                choice.cleaned_data["auth_method"],
                name=name,
                values=typed.values,
                actor=request.user,
            )
        instance = Instance.objects.get(pk=instance.pk)  # the form has written into the other one
        if form.has_new_values:
            return connecting.reconnect(
                instance, values=typed.values, set_at=typed.set_at, name=name, actor=request.user
            )
        if "name" in form.changed_data:
            connecting.rename(instance, name, actor=request.user)
        return connecting.check_now(instance, actor=request.user) if "_check" in request.POST else instance

    def _switch(self, request: HttpRequest, instance: Instance) -> HttpResponse:
        if "_pause" in request.POST:
            connecting.pause(instance, actor=request.user)
            messages.success(request, "Paused. Nothing is renewed, and no token is handed out, until it is resumed.")
        else:
            connecting.resume(instance, actor=request.user)
            messages.success(request, "Resumed.")
        self.log_change(request, instance, "Paused." if "_pause" in request.POST else "Resumed.")
        return HttpResponseRedirect(reverse("admin:tenants_instance_change", args=(instance.pk,)))

    def save_model(self, request: HttpRequest, obj: Instance, form: Any, change: bool) -> None:
        """Nothing: asking has stored what there is to store."""

    def response_add(self, request: HttpRequest, obj: Instance, post_url_continue: str | None = None) -> HttpResponse:
        return self._answer(request, obj)

    def response_change(self, request: HttpRequest, obj: Instance) -> HttpResponse:
        return self._answer(request, obj)

    def _answer(self, request: HttpRequest, instance: Instance) -> HttpResponse:
        messages.success(request, f"{said_of(Token.objects.get(pk=instance.pk))}.")
        return HttpResponseRedirect(reverse("admin:tenants_instance_change", args=(instance.pk,)))

    # Actions

    @admin.action(description="Pause", permissions=["change"])
    def pause_selected(self, request: HttpRequest, queryset: models.QuerySet[Instance]) -> None:
        for instance in queryset:
            connecting.pause(instance, actor=request.user)
            self.log_change(request, instance, "Paused.")

    @admin.action(description="Resume", permissions=["change"])
    def resume_selected(self, request: HttpRequest, queryset: models.QuerySet[Instance]) -> None:
        for instance in queryset:
            connecting.resume(instance, actor=request.user)
            self.log_change(request, instance, "Resumed.")

    # Removing

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        lines = [
            f"{instance} of {instance.tenant}: its values, its token and its history. "
            + (
                f"Read by {', '.join(readers)}."
                if (readers := connecting.readers_of(instance))
                else "Nothing reads it."
            )
            for instance in objs
        ]
        lacking = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name)}
        return lines, {str(self.opts.verbose_name_plural): len(lines)}, lacking, []

    def delete_model(self, request: HttpRequest, obj: Instance) -> None:
        connecting.remove(obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Instance]) -> None:
        for instance in queryset:
            connecting.remove(instance, actor=request.user)
