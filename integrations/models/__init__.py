"""The models of this app; Django and people import them from here."""

from integrations.models.api_key import ApiKey
from integrations.models.binding import Binding
from integrations.models.brand import Brand
from integrations.models.hand_on import HandOn
from integrations.models.idempotency import IdempotentAnswer
from integrations.models.integration import Component, Integration
from integrations.models.mailbox import Mailbox, MailItem
from integrations.models.session import Session, SessionPart
from integrations.models.webhook import WebhookEndpoint, WebhookSecret
from integrations.models.webhook_delivery import WebhookAttempt, WebhookDelivery

__all__ = [
    "ApiKey",
    "Binding",
    "Brand",
    "Component",
    "HandOn",
    "IdempotentAnswer",
    "Integration",
    "MailItem",
    "Mailbox",
    "Session",
    "SessionPart",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookSecret",
]
