"""Where the host is told what happens, and with which secrets that is signed."""

from datetime import datetime
from typing import Any, Self
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from connectors.fields import EncryptedTextField
from connectors.oauth2.hosts import BadAddress, checked_base
from integrations.models.integration import Integration
from tenants.models.lease import lease_length

# From so many failures on, one after another, an endpoint gets a single delivery at a time, at longer and longer
# intervals.
TROUBLED_AFTER = 5


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def enabled(self) -> Self:
        return self.filter(is_enabled=True)


class WebhookEndpoint(models.Model):
    """One address of the host's that is told what happens."""

    description = models.CharField(max_length=200, blank=True, help_text="What it is for, in your own words.")
    url = models.CharField("URL", max_length=2000, help_text="Where to send it, such as https://app.example.com/hooks.")
    # None: any. An endpoint goes with its integration: without it, it would suddenly be told everything.
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="webhook_endpoints", null=True, blank=True
    )
    # Of `Notice.Type`; empty: every one.
    types = models.JSONField(default=list, blank=True)
    is_enabled = models.BooleanField("enabled", default=True)
    # Why it was disabled, by whomever, in words; and when.
    disabled_reason = models.TextField(blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, editable=False)
    # Failures since the last success, and when the first of them was.
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    # While it is troubled: when it is tried again.
    retry_at = models.DateTimeField(null=True, editable=False)
    succeeded_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        ordering = ("description", "url", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(is_enabled=True, disabled_at=None) | Q(is_enabled=False, disabled_at__isnull=False),
                name="webhook_endpoint_disabled_since",
                violation_error_message="A disabled endpoint says since when.",
            ),
        )

    def __str__(self) -> str:
        return self.description or self.url

    def clean(self) -> None:
        problem = ""
        if "#" in self.url or not self.url.isascii() or any(sign <= " " for sign in self.url):
            problem = "This holds a character that can't stand in an address; percent-encode it."
        else:
            try:
                checked_base(self.url.partition("?")[0])
            except BadAddress as error:
                problem = f"This can't be used: {error}."
        if problem:
            raise ValidationError({"url": problem})

    @property
    def is_troubled(self) -> bool:
        return self.failures >= TROUBLED_AFTER

    def takes(self, type: str, integrations: Any) -> bool:
        """Whether it is to be told of this: something of that type that concerns those integrations, by primary key."""
        return (not self.types or type in self.types) and (
            self.integration_id is None or self.integration_id in integrations
        )

    def take_turn(self, now: datetime) -> bool:
        """While it is troubled: be the one who tries it now. One statement, so that of any number one wins."""
        if self.retry_at is None or self.retry_at > now:
            return False
        rows = type(self).objects.filter(pk=self.pk, retry_at=self.retry_at)
        return bool(rows.update(retry_at=now + lease_length()))

    def secrets_in_use(self, now: datetime) -> list[str]:
        """What deliveries are signed with now, the newest first. Raises `SecretUnreadable`."""
        return [secret.value for secret in self.secrets.in_use(now)]


class WebhookSecretQuerySet(models.QuerySet["WebhookSecret"]):
    def in_use(self, now: datetime) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("-created_at", "-pk")


class WebhookSecret(models.Model):
    """A secret that an endpoint's deliveries are signed with; while it is being exchanged, one of several."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    value = EncryptedTextField[str, str]()
    created_at = models.DateTimeField()
    # None: until it is exchanged.
    expires_at = models.DateTimeField(null=True)

    objects = WebhookSecretQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"secret {self.pk} of {self.endpoint_id}"


def new_id() -> str:
    """A delivery's id, which its receiver sees."""
    return f"msg_{uuid4().hex}"
