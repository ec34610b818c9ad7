"""An instance with its provider and its clock, as the tests of tenants have them."""

from tests.tenants.conftest import clock, instance, method, provider, tenant

__all__ = ["clock", "instance", "method", "provider", "tenant"]
