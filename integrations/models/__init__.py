"""The models of this app; Django and people import them from here."""

from integrations.models.api_key import ApiKey
from integrations.models.idempotency import IdempotentAnswer
from integrations.models.integration import Component, Integration

__all__ = ["ApiKey", "Component", "IdempotentAnswer", "Integration"]
