"""What a tenant's user is filling in, before there is an instance to hold it."""

from uuid import uuid4

from django.conf import settings
from django.db import models

from connectors.fields import EncryptedJSONField
from connectors.models import AuthMethod
from tenants.models.instance import Instance
from tenants.models.tenant import Tenant


class Draft(models.Model):
    """A form that is filled in and perhaps tried; gone once it is connected, or a day after its last use."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CONNECTING = "connecting", "Connecting"
        FAILED = "failed", "Failed"
        CONNECTED = "connected", "Connected"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Who began it and handed it on to `user`.
    handed_on_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # In the link by which another member may take it over; None while nobody may.
    hand_on_key = models.UUIDField(null=True, unique=True, editable=False)
    auth_method = models.ForeignKey(AuthMethod, on_delete=models.CASCADE, related_name="+")
    # The instance to reconnect; or, once connected, the one that came of it.
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    values = EncryptedJSONField(default=dict)
    set_at = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN.value)
    # What went wrong: {"code", "what", "why", "remedy", "fields"}, without any secret.
    problem = models.JSONField(null=True, blank=True)
    started_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = (models.Index(fields=("updated_at",), name="draft_age"),)

    def __str__(self) -> str:
        return f"draft {self.id}"
