"""One tenant's configured use of one authentication method."""

from typing import Any, Self
from uuid import uuid4

from django.db import models
from django.db.models import Q

from connectors.fields import EncryptedJSONField
from connectors.models import AuthMethod, Connector
from tenants.models.tenant import Tenant


class InstanceQuerySet(models.QuerySet["Instance"]):
    def of(self, tenant_key: str) -> Self:
        return self.filter(tenant__key=tenant_key)

    def needing_attention(self) -> Self:
        """Instances that no amount of waiting will mend."""
        return self.filter(status=Instance.Status.ACTION_REQUIRED)


class Instance(models.Model):
    """One tenant's configured use of one authentication method."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACTIVE = "active", "Active"
        FAILING = "failing", "Failing"
        ACTION_REQUIRED = "action_required", "Action required"
        PAUSED = "paused", "Paused"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="instances")
    # The method's own connector, kept here so that names can be unique within it and reads need one join less.
    connector = models.ForeignKey(Connector, on_delete=models.PROTECT, related_name="instances", editable=False)
    auth_method = models.ForeignKey(AuthMethod, on_delete=models.PROTECT, related_name="instances")
    name = models.CharField(max_length=200, blank=True, help_text="Tells several of one connector apart.")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING.value, editable=False)
    # Why the status is what it is: an error's code, and words for a person without any secret.
    status_code = models.CharField(max_length=64, blank=True, editable=False)
    status_reason = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        ordering = ("connector__name", "name", "created_at")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "connector", "name"),
                name="instance_name_unique",
                violation_error_message="The tenant has an instance of this connector with this name already.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "active", "failing", "action_required", "paused"]),
                name="instance_status_known",
                violation_error_message="There is no such status.",
            ),
        )

    def __str__(self) -> str:
        return self.name or str(self.connector)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.connector_id = self.auth_method.connector_id
        super().save(*args, **kwargs)


class InstanceValues(models.Model):
    """What a tenant's user or a backend filled in for an instance: fetched only where it is used."""

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True, related_name="filled_in")
    values = EncryptedJSONField(default=dict)
    # When each value was last set, by variable key: a form says of a secret that it is set, and since when.
    set_at = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "instance values"

    def __str__(self) -> str:
        return f"values of {self.instance_id}"
