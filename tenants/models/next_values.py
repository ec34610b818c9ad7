"""A secret that is to take the place of the present one."""

from django.db import models

from connectors.fields import EncryptedJSONField
from tenants.models.instance import Instance


class NextValues(models.Model):
    """Values that are to follow an instance's present ones: tried first, and kept beside these until they work."""

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True, related_name="next_values")
    # Only what changes; the rest is as it is at present.
    values = EncryptedJSONField(default=dict)
    set_at = models.JSONField(default=dict)
    added_at = models.DateTimeField()
    # When the secret among them runs out, where somebody said so.
    secret_expires_at = models.DateTimeField(null=True)
    # When the provider refused them first, and its reason in words.
    refused_at = models.DateTimeField(null=True)
    refusal = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "next values"

    def __str__(self) -> str:
        return f"next values of {self.instance_id}"
