"""A set-up that was handed on to a colleague who has the credentials."""

from datetime import datetime
from typing import Self

from django.db import models

from integrations.models.session import Session


class HandOnQuerySet(models.QuerySet["HandOn"]):
    def active(self, now: datetime) -> Self:
        """Those whose link still leads somewhere."""
        return self.filter(end="", expires_at__gt=now)


class HandOn(models.Model):
    """A second link to a session, for what was still missing when it was made; the first one waits meanwhile."""

    class End(models.TextChoices):
        TAKEN_BACK = "taken_back", "Taken back"
        DECLINED = "declined", "Passed back"
        # The colleague's part is filled in, but something else doesn't work.
        RETURNED = "returned", "Filled in"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="hand_ons")
    # The link is derived from the session's and this (`integrations.links`); stored is its keyed hash.
    nonce = models.CharField(max_length=64, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # The ids of the session's parts that it is about.
    parts = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When the colleague first saw it.
    opened_at = models.DateTimeField(null=True, editable=False)
    end = models.CharField(max_length=16, choices=End, blank=True, editable=False)

    objects = HandOnQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("session",),
                condition=models.Q(end=""),
                name="hand_on_once_at_a_time",
                violation_error_message="This session is with a colleague already.",
            ),
        )

    def __str__(self) -> str:
        return f"hand-on {self.pk} of {self.session}"

    def is_active(self, now: datetime) -> bool:
        return not self.end and self.expires_at > now
