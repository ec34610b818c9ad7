from tests.integrations.webhooks.conftest import clock, crm, instance, method, provider, tenant

__all__ = ["clock", "crm", "instance", "method", "provider", "tenant"]
