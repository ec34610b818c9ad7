"""What others are to be told of: written together with what it tells of, and gone once it was passed on."""

from datetime import datetime
from typing import Any

from django.db import models

from tenants.models.tenant import Tenant

_WORKS = "active"
_TROUBLE = frozenset({"failing", "action_required", "paused"})


class Notice(models.Model):
    """One thing that the host and people are to be told of. It outlives the instance that it tells of.

    Written in the transaction of what happened, so that neither is there without the other. Whoever passes notices on
    deletes them; their ids say nothing about the order in which they were committed.
    """

    class Type(models.TextChoices):
        CONNECTED = "instance.connected", "Instance connected"
        FAILING = "instance.failing", "Instance failing"
        ACTION_REQUIRED = "instance.action_required", "Instance needs action"
        RECOVERED = "instance.recovered", "Instance works again"
        PAUSED = "instance.paused", "Instance paused"
        REMOVED = "instance.removed", "Instance removed"
        SECRET_EXPIRING = "secret.expiring", "Secret expires soon"
        SESSION_COMPLETED = "session.completed", "Set-up session completed"
        SESSION_FAILED = "session.failed", "Set-up session failed"

    type = models.CharField(max_length=32, choices=Type)
    at = models.DateTimeField()
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    # Of an instance: as it was then. None and empty for a session.
    instance_id = models.UUIDField(null=True)
    connector = models.ForeignKey("connectors.Connector", on_delete=models.CASCADE, related_name="+", null=True)
    auth_method = models.ForeignKey("connectors.AuthMethod", on_delete=models.CASCADE, related_name="+", null=True)
    name = models.CharField(max_length=200, blank=True)
    status_before = models.CharField(max_length=16, blank=True)
    status = models.CharField(max_length=16, blank=True)
    code = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)
    # What else is told, ready to be sent; no secret.
    more = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.type} at {self.at:%Y-%m-%d %H:%M:%S}"


def type_of(kind: str, before: str, after: str) -> str:
    """What an event of this kind is told as, with the instance's status before and after; empty: nobody is told."""
    if kind == "secret_expiring":
        return Notice.Type.SECRET_EXPIRING
    if kind == "reconnected" and before == _WORKS == after:
        return Notice.Type.CONNECTED
    if before == after and kind != "connected":
        return ""
    if after == _WORKS:
        return Notice.Type.RECOVERED if before in _TROUBLE else Notice.Type.CONNECTED
    told = {
        "failing": Notice.Type.FAILING,
        "action_required": Notice.Type.ACTION_REQUIRED,
        "paused": Notice.Type.PAUSED,
    }
    return told.get(after, "")


def notice_of(instance: Any, type: str, *, at: datetime) -> Notice:
    """A notice about an instance as it is now, still to be saved."""
    return Notice(
        type=type,
        at=at,
        tenant_id=instance.tenant_id,
        instance_id=instance.pk,
        connector_id=instance.connector_id,
        auth_method_id=instance.auth_method_id,
        name=instance.name,
        status_before=instance.status,
        status=instance.status,
        code=instance.status_code,
        detail=instance.status_reason,
    )
