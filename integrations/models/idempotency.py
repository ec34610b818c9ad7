"""What became of a request that its sender may repeat."""

from datetime import datetime
from typing import Self

from django.db import models

from connectors.fields import EncryptedJSONField
from integrations.models.api_key import ApiKey


class IdempotentAnswerQuerySet(models.QuerySet["IdempotentAnswer"]):
    def from_before(self, moment: datetime) -> Self:
        return self.filter(created_at__lt=moment)

    def unfinished(self) -> Self:
        return self.filter(body=None)


class IdempotentAnswer(models.Model):
    """The answer to a request with an Idempotency-Key: given again when the request is."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    # A hash of method, address and body: the same key with another request is a mistake.
    fingerprint = models.CharField(max_length=64)
    # None while the request is being worked on.
    body = EncryptedJSONField(null=True)
    created_at = models.DateTimeField()

    objects = IdempotentAnswerQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("created_at",), name="idempotent_answer_age"),)
        constraints = (
            models.UniqueConstraint(
                fields=("api_key", "key"),
                name="idempotent_answer_unique",
                violation_error_message="This API key has used this idempotency key already.",
            ),
        )

    def __str__(self) -> str:
        return f"answer {self.pk}"
