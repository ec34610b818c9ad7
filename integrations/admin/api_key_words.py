"""What lists and pages show of an API key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from integrations.models import ApiKey
from tenants.admin.instance_words import moment

USABLE, EXPIRED, REVOKED = "usable", "expired", "revoked"
STATES = {USABLE: "Usable", EXPIRED: "Expired", REVOKED: "Revoked"}


def state_of(key: ApiKey, now: datetime) -> str:
    """One of STATES. A revoked key stays revoked when it expires."""
    if key.revoked_at is not None:
        return REVOKED
    return EXPIRED if key.expires_at is not None and key.expires_at <= now else USABLE


class StateFilter(admin.SimpleListFilter):
    """Keys by what has become of them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[ApiKey]) -> models.QuerySet[ApiKey]:
        now = timezone.now()
        if self.value() == USABLE:
            return queryset.filter(pk__in=ApiKey.objects.usable(now).values("pk"))
        if self.value() == EXPIRED:
            return queryset.filter(revoked_at=None, expires_at__lte=now)
        if self.value() == REVOKED:
            return queryset.exclude(revoked_at=None)
        return queryset


class ApiKeyWords:
    """The read-only columns and fields of an API key."""

    @admin.display(description="begins with", ordering="prefix")
    def beginning(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description="scopes")
    def scopes_words(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "none"

    @admin.display(description="scopes")
    def scopes_listed(self, key: ApiKey) -> str:
        return "all" if set(key.scopes) == set(ApiKey.Scope.values) else self.scopes_words(key)

    @admin.display(description="integration", ordering="integration__name")
    def integration_words(self, key: ApiKey) -> str:
        return str(key.integration) if key.integration else "every integration"

    @admin.display(description="tenant", ordering="tenant__name")
    def tenant_words(self, key: ApiKey) -> str:
        return str(key.tenant) if key.tenant else "every tenant"

    @admin.display(description="created", ordering="created_at")
    def created(self, key: ApiKey) -> str:
        return moment(key.created_at)

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return moment(key.last_used_at) if key.last_used_at else "never"

    @admin.display(description="expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        return moment(key.expires_at) if key.expires_at else "never"

    @display(  # type: ignore[untyped-decorator]
        description="state",
        label={USABLE: "success", EXPIRED: "warning", REVOKED: "danger"},
    )
    def state_label(self, key: ApiKey) -> Any:
        state = state_of(key, timezone.now())
        return state, STATES[state]

    @admin.display(description="state")
    def state_words(self, key: ApiKey) -> str:
        state = STATES[state_of(key, timezone.now())]
        return f"{state} since {moment(key.revoked_at)}" if key.revoked_at else state
