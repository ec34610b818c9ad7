"""Set-up sessions: a link through which a tenant's user sets up an integration's components."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q

from connectors.encryption import SecretUnreadable
from connectors.fields import EncryptedJSONField
from connectors.models import AuthMethod
from integrations.models.integration import Component, Integration
from tenants.models import Instance, Tenant
from tenants.models.lease import lease_length


def patience() -> timedelta:
    """How long after its start nobody can still be connecting, so that it may be tried again."""
    # Reconnecting may first wait for a renewal of the same instance; see `Leased.take_in_turn`.
    return lease_length() * 3


class SessionQuerySet(models.QuerySet["Session"]):
    def unfinished(self, now: datetime) -> Self:
        """Sessions whose link still leads somewhere."""
        return self.filter(expires_at__gt=now).exclude(state=Session.State.COMPLETE)

    def claimable(self, now: datetime) -> Self:
        """Unfinished sessions that nobody is connecting just now."""
        return self.unfinished(now).filter(Q(started_at=None) | Q(started_at__lt=now - patience()))


class Session(models.Model):
    """One link for one tenant and some components of one integration; used up once it is complete."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        COMPLETE = "complete", "Complete"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    # The keyed hash of what makes the link (`integrations.links`).
    digest = models.CharField(max_length=64, unique=True, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="sessions")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="sessions")
    redirect_url = models.CharField("redirect URL", max_length=2000, blank=True)
    # The page that opened the wizard, or frames it, and is told how it goes: one of the integration's allowed origins.
    origin = models.CharField(max_length=300, blank=True)
    # Close the pop-up or frame by itself once there is nothing more to do.
    auto_close = models.BooleanField(default=False)
    # How the last attempt ended; a failed session can be tried again until it expires.
    state = models.CharField(max_length=16, choices=State, default=State.OPEN.value, editable=False)
    # The tenant's user has sent the last form: whoever opens the waiting page may connect.
    is_ready = models.BooleanField(default=False, editable=False)
    # While somebody is connecting: since when.
    started_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "pk")
        indexes = (models.Index(fields=("expires_at",), name="session_expiry"),)

    def __str__(self) -> str:
        return f"session {self.pk}"

    def status(self, now: datetime) -> str:
        """`open`, `complete`, `failed` or `expired`. What a person is just connecting is open."""
        if self.state == self.State.COMPLETE:
            return self.state
        if self.is_busy(now):
            return self.State.OPEN.value
        return "expired" if self.expires_at <= now else self.state

    def is_busy(self, now: datetime) -> bool:
        """Whether somebody is connecting it just now."""
        return self.started_at is not None and self.started_at >= now - patience()


class SessionPart(models.Model):
    """One component of a session: what is filled in for it so far, and what became of it."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="parts")
    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    # None: still to be chosen.
    auth_method = models.ForeignKey(AuthMethod, on_delete=models.CASCADE, related_name="+", null=True)
    # The one to reconnect; or, once the session is complete, the one that came of it.
    instance = models.ForeignKey(Instance, on_delete=models.SET_NULL, related_name="+", null=True)
    reconnects = models.BooleanField(default=False)
    name = models.CharField(max_length=200, blank=True)
    # By variable key, from the backend and the tenant's user; None takes away what a reconnected instance has.
    values = EncryptedJSONField(default=dict)
    set_at = models.JSONField(default=dict)
    # The keys that the backend set, which the tenant's user therefore isn't asked for.
    given = models.JSONField(default=list)
    # The backend chose the method: the tenant's user can't choose another.
    has_fixed_method = models.BooleanField(default=False)
    # The tenant's user has sent this part's form.
    is_typed = models.BooleanField(default=False)
    # What went wrong: {"code", "what", "why", "remedy", "fields"}, without any secret.
    problem = models.JSONField(null=True)

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("session", "component"),
                name="session_part_unique",
                violation_error_message="The session has this component already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.component} of {self.session}"

    @property
    def filled_in(self) -> dict[str, str]:
        """Every value that there is, those of the instance to reconnect included."""
        merged: dict[str, Any] = {**self._stored("values"), **self.values}
        return {key: value for key, value in merged.items() if value is not None}

    @property
    def since(self) -> dict[str, str]:
        """Since when each of them is set (RFC 3339, by variable key)."""
        return {**self._stored("set_at"), **self.set_at}

    def _stored(self, column: str) -> Mapping[str, Any]:
        if self.instance is None:
            return {}
        # What can't be read any more is what reconnecting mends; what the method no longer has can't be used.
        try:
            stored: dict[str, Any] = getattr(self.instance.filled_in, column)
        except (ObjectDoesNotExist, SecretUnreadable):
            return {}
        return stored
