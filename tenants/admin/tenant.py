"""Tenants in the admin, and who may act for them."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline

from tenants.models import Membership, Tenant


class MembershipInline(TabularInline):  # type: ignore[misc]  # (unfold has no types)
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)
    fields = ("user",)
    verbose_name = "member"
    verbose_name_plural = "members"
    hide_title = True


@admin.register(Tenant)
class TenantAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """A customer of the platform."""

    list_display = ("display_name", "key", "members_count", "instances_count", "created_at")
    list_per_page = 50
    search_fields = ("key", "name")
    fields = ("name", "key")
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
