from tenants.admin import instance, people, tenant

__all__ = ["instance", "people", "tenant"]
