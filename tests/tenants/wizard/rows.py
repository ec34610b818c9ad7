"""Rows that the wizard's tests start from."""

from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.models import AuthMethod, Connector, Variable
from connectors.oauth2.definition import SUPPLIED_VARIABLES
from tenants.models import Event, Instance, InstanceValues, Tenant, Token

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "s3cr3t-of-acme"
TOKEN = "token-of-acme"
PASSWORD = "correct horse"


def make_method(connector: Connector, key: str = "credentials", **fields: Any) -> AuthMethod:
    """An authentication method with the five supplied variables."""
    request = {"url": f"https://{connector.key}.example/oauth/token", **fields.pop("token_request", {})}
    fields = {"name": "Client credentials", **fields, "token_request": request}
    method = AuthMethod.objects.create(connector=connector, key=key, **fields)
    for position, supplied in enumerate(SUPPLIED_VARIABLES):
        stated = supplied.model_dump(mode="json", exclude={"key"})
        Variable.objects.create(auth_method=method, key=supplied.key, position=position, **stated)
    return method


def add_variable(method: AuthMethod, key: str, **fields: Any) -> Variable:
    """A further variable, which the token request's query uses."""
    query = method.token_request.get("query", {})
    method.token_request = {**method.token_request, "query": {**query, key: f"{{{{{key}}}}}"}}
    method.save()
    AuthMethod.objects.filter(pk=method.pk).touch()
    return Variable.objects.create(auth_method=method, key=key, position=100, **fields)


def make_instance(tenant: Tenant, method: AuthMethod, **fields: Any) -> Instance:
    """A connected instance with a token that lives for an hour."""
    instance = Instance.objects.create(
        tenant=tenant, auth_method=method, **{"status": Instance.Status.ACTIVE.value, **fields}
    )
    InstanceValues.objects.create(
        instance=instance,
        values={"client_id": "the-client", "client_secret": SECRET},
        set_at={"client_id": NOW.isoformat(), "client_secret": NOW.isoformat()},
    )
    Token.objects.create(
        instance=instance,
        secrets={"access_token": TOKEN, "token_type": "Bearer", "kept": {}},
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        refresh_at=NOW + timedelta(minutes=48),
    )
    Event.objects.create(
        instance=instance, at=NOW, kind=Event.Kind.CONNECTED, status_before="pending", status_after="active"
    )
    return instance
