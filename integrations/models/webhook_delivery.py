"""What is to be told to which endpoint, and how often that was tried."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Min, OuterRef, Q, Subquery

from integrations.models.webhook import TROUBLED_AFTER, WebhookEndpoint, new_id
from tenants.models.lease import Leased

# For so long a delivery is tried; see `integrations.webhooks.backoff`.
PATIENCE = timedelta(days=1)


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def pending(self) -> Self:
        return self.filter(state=WebhookDelivery.State.PENDING)

    def due(self, now: datetime) -> Self:
        """Deliveries whose time has come, the longest due first. Disabled endpoints are left in peace."""
        # A subquery, not a join: who claims them locks these rows alone.
        enabled = WebhookEndpoint.objects.enabled().order_by().values("pk")
        waiting = self.pending().filter(next_attempt_at__lte=now, endpoint__in=enabled)
        return waiting.order_by("next_attempt_at", "pk")

    def overdue(self, now: datetime) -> Self:
        """Deliveries that nobody got to within their day: their endpoint was disabled, or in trouble all along."""
        return self.pending().filter(give_up_at__lte=now, lease_owner=None)

    def first_due(self) -> datetime | None:
        """When the first is or was due whose endpoint is not in trouble: one look into the index for each endpoint."""
        waiting = self.pending().filter(endpoint=OuterRef("pk")).order_by("next_attempt_at")
        calm = WebhookEndpoint.objects.enabled().filter(failures__lt=TROUBLED_AFTER)
        firsts = calm.annotate(first=Subquery(waiting.values("next_attempt_at")[:1]))
        first: datetime | None = firsts.aggregate(earliest=Min("first"))["earliest"]
        return first


class WebhookDelivery(Leased):
    """One thing to tell one endpoint; leased while it is being sent."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    # The `webhook-id` that the receiver knows it by, the same with each attempt.
    id = models.CharField(primary_key=True, max_length=40, default=new_id, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    type = models.CharField(max_length=32)
    # What is sent, to the letter: it is signed.
    body = models.TextField()
    state = models.CharField(max_length=16, choices=State, default=State.PENDING.value)
    attempts_made = models.PositiveIntegerField("attempts", default=0)
    next_attempt_at = models.DateTimeField(null=True)
    give_up_at = models.DateTimeField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name_plural = "webhook deliveries"
        indexes = (
            models.Index(
                fields=("endpoint", "next_attempt_at"), name="webhook_delivery_due", condition=Q(state="pending")
            ),
            models.Index(fields=("give_up_at",), name="webhook_delivery_giving_up", condition=Q(state="pending")),
            models.Index(fields=("-created_at", "-id"), name="webhook_delivery_newest"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["pending", "delivered", "failed"]),
                name="webhook_delivery_state_known",
                violation_error_message="There is no such state.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class WebhookAttempt(models.Model):
    """One time that a delivery was sent, and what came of it."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    # None: no answer came; `trouble` says why, in words.
    status = models.PositiveSmallIntegerField(null=True)
    trouble = models.TextField(blank=True)
    # The beginning of the answer's body.
    excerpt = models.TextField(blank=True)

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.status or 'no answer'} at {self.at:%Y-%m-%d %H:%M:%S}"
