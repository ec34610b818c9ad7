"""What the host's backend shows to the HTTP API."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from connectors.models import Connector, ConnectorQuerySet
from integrations.models.integration import Component, Integration
from integrations.models.session import Session, SessionQuerySet
from tenants.models import Instance, Tenant
from tenants.models.instance import InstanceQuerySet


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, now: datetime) -> Self:
        """Keys that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiKey(models.Model):
    """A key to the HTTP API, stored as a hash. What it is bound to limits what it sees."""

    class Scope(models.TextChoices):
        TOKENS_READ = "tokens:read", "Read tokens"
        INSTANCES_READ = "instances:read", "Read instances and connectors"
        INSTANCES_WRITE = "instances:write", "Change instances"
        SESSIONS_WRITE = "sessions:write", "Create set-up sessions"

    name = models.CharField(max_length=200, help_text="Who uses the key, and what for.")
    # The key's beginning, to recognise it by; and the keyed hash of the whole (`integrations.keys`).
    prefix = models.CharField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    # None: any. A key goes with what it is bound to: without it, it would suddenly see everything.
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="api_keys", null=True, blank=True
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # To the minute: it is not written with every request.
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def reaches_integration(self, key: str) -> bool:
        """Whether an integration of this key, if there is one, is within what the API key sees."""
        return self.integration is None or self.integration.key == key

    def reaches_tenant(self, key: str) -> bool:
        """Whether a tenant of this key, if there is one, is within what the API key sees."""
        return self.tenant is None or self.tenant.key == key

    def sessions(self) -> SessionQuerySet:
        """The set-up sessions within what the key sees."""
        seen = Session.objects.select_related("integration", "tenant")
        bounds = {"tenant": self.tenant_id, "integration": self.integration_id}
        return seen.filter(**{name: pk for name, pk in bounds.items() if pk is not None})

    def instances(self) -> InstanceQuerySet:
        """The instances within what the key sees."""
        seen = Instance.objects.all()
        if self.tenant_id is not None:
            seen = seen.filter(tenant=self.tenant_id)
        if self.integration_id is not None:
            seen = seen.filter(Component.objects.filter(integration=self.integration_id).reads())
        return seen

    def connectors(self) -> ConnectorQuerySet:
        """The connectors within what the key sees, those that can be connected."""
        seen = Connector.objects.ready()
        if self.integration_id is not None:
            seen = seen.filter(components__integration=self.integration_id)
        return seen
