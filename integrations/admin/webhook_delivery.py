"""The log of webhook deliveries in the admin, where they are sent again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from integrations.admin.webhook_words import DeliveryWords
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks import endpoints, sending
from tenants.models import Notice

TYPES = [*Notice.Type.values, "webhook.test"]


class TypeFilter(admin.SimpleListFilter):
    """Deliveries by event."""

    title = "event"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in TYPES]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[WebhookDelivery]) -> Any:
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(DeliveryWords, ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """What was told, when, and how the endpoint answered. Nothing of it can be changed."""

    list_display = ("display_type", "about", "endpoint", "state_label", "attempts_made", "created")
    list_filter = ("state", TypeFilter, ("endpoint", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("endpoint",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("id__startswith", "body")
    search_help_text = "An id, or what the body says: a tenant's key, an instance's id"
    actions = ("send_selected_again",)
    readonly_fields = (
        "id",
        "display_type",
        "endpoint_link",
        "created",
        "state_words",
        "body_shown",
        "attempts_shown",
    )
    fields = readonly_fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WebhookDelivery | None = None) -> bool:
        return False

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may change endpoints may have something sent to them."""
        return bool(request.user.has_perm("integrations.change_webhookendpoint"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.again_view)
        return [path("<path:object_id>/again/", view, name="integrations_webhookdelivery_again"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {"may_send_again": self.has_send_permission(request)}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})
        return response

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send it again now, and show what came of it."""
        delivery: WebhookDelivery | None = self.get_object(request, unquote(object_id))
        if not (self.has_send_permission(request) and self.has_view_permission(request, delivery)):
            raise PermissionDenied
        if delivery is None:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not endpoints.send_again([delivery.pk]):
            messages.error(request, "Nothing was sent: the endpoint is disabled. Enable it first.")
        elif sending.deliver_now(delivery).delivered:
            messages.success(request, "It was delivered.")
        else:
            messages.error(request, "It was not taken, and is tried again. The latest attempt says why.")
        return HttpResponseRedirect(reverse("admin:integrations_webhookdelivery_change", args=(quote(delivery.pk),)))

    @admin.action(description="Send again", permissions=["send"])
    def send_selected_again(self, request: HttpRequest, queryset: models.QuerySet[WebhookDelivery]) -> None:
        chosen = list(queryset.order_by().values_list("pk", flat=True))
        count = endpoints.send_again(chosen)
        if count:
            messages.success(request, f"{count} will be sent again, within seconds where a worker runs.")
        if missed := len(chosen) - count:
            disabled = WebhookEndpoint.objects.filter(is_enabled=False, deliveries__in=chosen).distinct()
            names = ", ".join(str(endpoint) for endpoint in disabled)
            messages.error(request, f"{missed} will not be sent: {names} is disabled. Enable it first.")
