"""Tenants in the admin, and who may act for them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import validate_email
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from tenants.models import Membership, Tenant


class AddressesField(forms.CharField):
    """E-mail addresses, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminExpandableTextareaWidget({"spellcheck": "false"})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
        for line in lines:
            try:
                validate_email(line)
            except forms.ValidationError as error:
                raise forms.ValidationError(f"“{line}” is no e-mail address. Write one a line.") from error
        return list(dict.fromkeys(lines))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and (initial or []) != [line.strip() for line in str(data or "").splitlines()]


class TenantForm(forms.ModelForm):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """A tenant, and whom to tell of trouble."""

    contact_emails = AddressesField(
        label="Contacts",
        help_text="E-mail addresses, one a line, that are told when a connection needs attention; besides the members.",
    )

    class Meta:
        model = Tenant
        fields = ("name", "key", "contact_emails")


class MembershipInline(TabularInline):  # type: ignore[misc]  # (unfold has no types)
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)
    fields = ("user", "is_notified")
    verbose_name = "member"
    verbose_name_plural = "members"
    hide_title = True


@admin.register(Tenant)
class TenantAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """A customer of the platform."""

    list_display = ("display_name", "key", "members_count", "instances_count", "created_at")
    list_per_page = 50
    search_fields = ("key", "name")
    form = TenantForm
    fields = ("name", "key", "contact_emails")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Tenant]:
        tenants: models.QuerySet[Tenant] = super().get_queryset(request)
        return tenants.annotate(
            instances_total=models.Count("instances", distinct=True),
            members_total=models.Count("memberships", distinct=True),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        return ("key", "instances_link") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        return (*self.fields, "instances_link") if obj else self.fields

    @admin.display(description="name", ordering="name")
    def display_name(self, tenant: Tenant) -> str:
        return str(tenant)

    @admin.display(description="members", ordering="members_total")
    def members_count(self, tenant: Any) -> int:
        return int(tenant.members_total)

    @admin.display(description="instances", ordering="instances_total")
    def instances_count(self, tenant: Any) -> int:
        return int(tenant.instances_total)

    @admin.display(description="instances")
    def instances_link(self, tenant: Tenant) -> SafeString:
        count = tenant.instances.count()
        listed = f"{reverse('admin:tenants_instance_changelist')}?tenant__id__exact={tenant.pk}"
        added = f"{reverse('admin:tenants_instance_add')}?tenant={tenant.pk}"
        return format_html(
            '<a href="{}" class="lk-link">{} instance{}</a> · <a href="{}" class="lk-link">Add instance</a>',
            listed,
            count,
            "" if count == 1 else "s",
            added,
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        reasons = [
            format_html(
                "Tenant “{}” has instances ({}). Remove them first; whatever reads them loses its tokens.",
                str(tenant),
                self.instances_link(tenant),
            )
            for tenant in objs
            if tenant.instances.exists()
        ]
        if reasons:
            return [str(tenant) for tenant in objs], {}, set(), reasons
        return super().get_deleted_objects(objs, request)
