from integrations.admin import api_key, integration, session, webhook_delivery, webhook_endpoint

__all__ = ["api_key", "integration", "session", "webhook_delivery", "webhook_endpoint"]
