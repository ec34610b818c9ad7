"""Whom mail goes to, and what the next one will tell."""

from datetime import datetime
from typing import Self

from django.db import models

from integrations.models.webhook import WebhookEndpoint
from tenants.models import Tenant
from tenants.models.lease import Leased, free


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    def due(self, now: datetime) -> Self:
        return self.filter(free(now), due_at__lte=now).order_by("due_at", "pk")


class Mailbox(Leased):
    """One address that mail goes to; leased while one is on its way."""

    # In lower case.
    address = models.CharField(max_length=254, unique=True)
    # When the next mail goes out; None while there is nothing to tell.
    due_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "mailboxes"
        indexes = (models.Index(fields=("due_at",), name="mailbox_due", condition=models.Q(due_at__isnull=False)),)

    def __str__(self) -> str:
        return self.address


class MailItem(models.Model):
    """One thing that a mailbox is to be told, until it was."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="items")
    # The reader looks after the platform, not after a tenant's connections.
    is_for_administrators = models.BooleanField()
    type = models.CharField(max_length=32)
    at = models.DateTimeField()
    # What it is about: an instance of a tenant, or a webhook endpoint.
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", null=True)
    instance_id = models.UUIDField(null=True)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="+", null=True)
    # What happened, in words without any secret.
    detail = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.type} for {self.mailbox_id}"
