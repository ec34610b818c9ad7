from integrations.admin import integration

__all__ = ["integration"]
