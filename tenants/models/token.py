"""The token that an instance bought, and the lease under which it is renewed."""

from django.db import models
from django.db.models import Q

from connectors.fields import EncryptedJSONField
from tenants.models.instance import Instance


class Token(models.Model):
    """An instance's token and when it is renewed. There is one for every instance, empty until one is bought."""

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True, related_name="token")
    # {"access_token": …, "token_type": …, "kept": {name: value}}
    secrets = EncryptedJSONField(null=True)
    issued_at = models.DateTimeField(null=True)
    # None, where there is a token: it is kept until an API refuses it.
    expires_at = models.DateTimeField(null=True)
    # When it is next asked for; None: not by itself.
    refresh_at = models.DateTimeField(null=True)
    # Failures in a row since the last success: backoff grows with it.
    failures = models.PositiveIntegerField(default=0)
    # Counts the tokens that were bought: who waits for another's renewal knows by it that there is a new one.
    serial = models.PositiveBigIntegerField(default=0)
    lease_owner = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("refresh_at",), name="token_due", condition=Q(refresh_at__isnull=False)),)
        constraints = (
            models.CheckConstraint(
                condition=Q(lease_owner__isnull=True, lease_until__isnull=True)
                | Q(lease_owner__isnull=False, lease_until__isnull=False),
                name="token_lease_whole",
                violation_error_message="A lease has an owner and an end.",
            ),
        )

    def __str__(self) -> str:
        return f"token of {self.instance_id}"
