"""Instances to measure with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from connectors.models import AuthMethod, Connector
from tenants import database_time
from tenants.fingerprints import fingerprint
from tenants.models import Instance, InstanceValues, Tenant, Token

VALUES = {"client_id": "id", "client_secret": "s3cret"}
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Population:
    """Instances of one method, each with a token that lives an hour."""

    method: AuthMethod
    pks: tuple[UUID, ...]

    def make_due(self, times: int) -> None:
        """So many tokens' time has come."""
        Token.objects.filter(pk__in=self.pks[:times]).update(refresh_at=database_time.now())

    def is_due(self) -> bool:
        """Whether any is still to be renewed. Cheap: who measures asks often. No other token's time comes meanwhile."""
        return Token.objects.filter(refresh_at__lte=database_time.now()).order_by().exists()


def make_method(key: str, token_url: str) -> AuthMethod:
    """A connector with one method, as plain as they come."""
    connector = Connector.objects.create(key=key, name=key, base_url="https://api.example.com/v1")
    request = {"url": token_url}
    return AuthMethod.objects.create(connector=connector, key="main", name="Main", token_request=request)


def populate(key: str, token_url: str, count: int) -> Population:
    """So many tenants with an instance each; none of the tokens is due."""
    method, now = make_method(key, token_url), database_time.now()
    tenants = Tenant.objects.bulk_create(Tenant(key=f"{key}-{number}", name=key) for number in range(count))
    instances = Instance.objects.bulk_create(
        Instance(tenant=tenant, auth_method=method, connector=method.connector, status=Instance.Status.ACTIVE)
        for tenant in tenants
    )
    InstanceValues.objects.bulk_create(InstanceValues(instance=one, values=VALUES) for one in instances)
    secrets: dict[str, Any] = {"access_token": "y" * 1100, "token_type": "Bearer", "kept": {}}
    Token.objects.bulk_create(
        Token(
            instance=one,
            secrets=secrets,
            fingerprint=fingerprint(secrets["access_token"]),
            issued_at=now,
            renewed_at=now,
            expires_at=now + 100 * HOUR,
            refresh_at=now + 80 * HOUR,
        )
        for one in instances
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Population(method, tuple(one.pk for one in instances))
