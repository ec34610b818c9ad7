"""Set-up sessions in the admin: looked at, never changed. Their links are stored nowhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from integrations import sessions
from integrations.models import HandOn, Session
from tenants import database_time


@admin.register(Session)
class SessionAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold has no types)
    """What became of a set-up link."""

    list_display = ("id", "tenant", "integration", "status", "created_at", "expires_at", "finished_at")
    list_filter = (
        "state",
        ("integration", admin.RelatedOnlyFieldListFilter),
        ("tenant", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("tenant", "integration")
    list_per_page = 50
    search_fields = ("=id", "tenant__key", "tenant__name", "integration__key", "integration__name")
    fields = (
        "id",
        "tenant",
        "integration",
        "status",
        "components",
        "handed_on",
        "redirect_url",
        "origin",
        "created_at",
        "expires_at",
        "finished_at",
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="status")
    def status(self, session: Session) -> str:
        return session.status(database_time.now())

    @admin.display(description="components")
    def components(self, session: Session) -> SafeString:
        rows = ((part.component.name, _words(part.problem)) for part in sessions.parts_of(session))
        return format_html_join("", "<p><b>{}</b>: {}</p>", rows)

    @admin.display(description="handed on")
    def handed_on(self, session: Session) -> str:
        latest = HandOn.objects.filter(session=session).first()
        if latest is None:
            return "no"
        is_open = latest.is_active(database_time.now()) and session.state != Session.State.COMPLETE
        return "to a colleague, who is asked now" if is_open else latest.get_end_display() or "yes, and over"


def _words(problem: dict[str, Any] | None) -> str:
    return f"{problem['code']}. {sessions.detail_of(problem)}" if problem else "no error"
