from integrations.admin import api_key, integration

__all__ = ["api_key", "integration"]
