"""Webhook endpoints in the admin: made with a secret that is shown once, tried out, switched off and on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminRadioSelectWidget

from integrations.admin.webhook_words import EndpointWords
from integrations.models import WebhookEndpoint
from integrations.webhooks import endpoints, sending
from tenants import database_time
from tenants.models import Notice

BY_HAND = "An administrator disabled it."
OVERLAPS = ((24, "for a day"), (7 * 24, "for a week"), (0, "no longer: it got out"))
WATCHED = ("state_words", "last_success", "secrets_words", "deliveries_link")


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    """Where to send what."""

    types = forms.MultipleChoiceField(
        label="Events",
        required=False,
        choices=[(value, f"{label} ({value})") for value, label in Notice.Type.choices],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What to tell it. None chosen: everything, also what later versions add.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("description", "url", "integration", "types", "is_enabled")
        help_texts = {  # noqa: RUF012
            "integration": "Tell it everything, or only what concerns instances and sessions of this integration.",
            "is_enabled": "While it is disabled nothing is put down for it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "integration" in self.fields:
            vars(self.fields["integration"])["empty_label"] = "every integration"


class RotationForm(forms.Form):
    """How long the old secret goes on signing."""

    hours = forms.TypedChoiceField(
        label="The present secret goes on signing",
        choices=OVERLAPS,
        coerce=int,
        initial=24,
        widget=UnfoldAdminRadioSelectWidget,
        help_text="Meanwhile each delivery carries a signature of both, and a receiver that knows either accepts it.",
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(EndpointWords, ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """An address that is told what happens. A secret's text is in one answer, that to the request which made it."""

    form = EndpointForm
    list_display = ("display_name", "state_label", "integration_words", "types_words", "last_success")
    list_filter = ("is_enabled", ("integration", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("integration",)
    list_per_page = 50
    search_fields = ("description", "url", "integration__key", "integration__name")

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        fields = EndpointForm.Meta.fields
        if obj is None:
            return ((None, {"fields": fields, "description": "The signing secret is shown once, after saving."}),)
        return ((None, {"fields": (*fields, *WATCHED)}),)

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> tuple[str, ...]:
        return WATCHED if obj else ()

    # Making one, switching it off and on

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        one_way = {"show_save_and_continue": False, "show_save_and_add_another": False}  # on: the secret must be shown
        response: HttpResponse = super().add_view(request, form_url, {**(extra_context or {}), **one_way})
        return response

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        wanted, obj.is_enabled = obj.is_enabled, True
        if not change:
            obj.save()
            vars(request)["issued"] = endpoints.add_secret(obj)
        else:
            obj.save(update_fields=["description", "url", "integration", "types"])
        if "is_enabled" in form.changed_data or not (change or wanted):
            if wanted:
                endpoints.enable(obj)
            else:
                endpoints.disable(obj, BY_HAND, database_time.now())
        obj.is_enabled = wanted

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._shown_once(request, obj, vars(request).pop("issued"), "Webhook endpoint made")

    def _shown_once(self, request: HttpRequest, endpoint: WebhookEndpoint, text: str, title: str) -> HttpResponse:
        # Answered without a redirect: what outlives this request must not hold the secret.
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "endpoint": endpoint,
            "text": text,
        }
        response = TemplateResponse(request, "admin/integrations/webhook/issued.html", context)
        response["Cache-Control"] = "no-store"
        return response

    # A new secret, and a test

    def get_urls(self) -> list[URLPattern]:
        own = {"rotate": self.rotate_view, "test": self.test_view}
        return [
            *(
                path(
                    f"<path:object_id>/{name}/",
                    self.admin_site.admin_view(view),
                    name=f"integrations_webhookendpoint_{name}",
                )
                for name, view in own.items()
            ),
            *super().get_urls(),
        ]

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._changeable(request, object_id)
        form = RotationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            text = endpoints.add_secret(endpoint, overlap=timedelta(hours=form.cleaned_data["hours"]))
            self.log_change(request, endpoint, "Given a new signing secret.")
            return self._shown_once(request, endpoint, text, "New signing secret")
        context = {
            **self.admin_site.each_context(request),
            "title": "New signing secret",
            "opts": self.opts,
            "endpoint": endpoint,
            "form": form,
        }
        return TemplateResponse(request, "admin/integrations/webhook/rotate.html", context)

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send a test event now, and show what came of it."""
        endpoint = self._changeable(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        delivery = endpoints.add_test(endpoint)
        tally = sending.deliver_now(delivery)
        if tally.delivered:
            messages.success(request, "The test event was delivered.")
        else:
            messages.error(request, "The test event was not taken. The attempt below says why.")
        return HttpResponseRedirect(reverse("admin:integrations_webhookdelivery_change", args=(quote(delivery.pk),)))

    def _changeable(self, request: HttpRequest, object_id: str) -> WebhookEndpoint:
        """Raises `PermissionDenied` or `Http404`."""
        endpoint: WebhookEndpoint | None = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        if endpoint is None:
            raise Http404
        return endpoint
