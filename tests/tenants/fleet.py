"""Several instances at one endpoint, and readers of them."""

from connectors.models import AuthMethod
from tenants import connecting
from tenants.models import Instance, Tenant

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


def connect_fleet(tenant: Tenant, method: AuthMethod, provider, clock):
    """Ten, whose tokens run out a minute apart."""
    instances = []
    for number in range(10):
        provider.lifetime = 3600 + 60 * number
        instances.append(
            connecting.connect(tenant, method, name=f"no. {number}", values=VALUES, send=provider, clock=clock)
        )
    provider.lifetime = 3600
    return instances


def read(instance, send, clock):
    found = Instance.objects.for_reading().get(pk=instance.pk)
    return found.credentials(send=send, clock=clock, sleep=clock.sleep).access_token
