"""Reading tokens."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from ninja import Query, Router, Schema
from pydantic import Field

from connectors.definitions import definition_of
from connectors.oauth2.definition import TEN_YEARS
from connectors.oauth2.method import Method, names_in
from integrations.api.authentication import ApiRequest, call
from integrations.api.pages import refuse_unknown
from integrations.api.seen import InstanceId, id_of, instance_of
from integrations.models import Component
from integrations.models.integration import stored_for
from tenants import database_time
from tenants.credentials import Credentials
from tenants.models import Instance
from tenants.stored import Stored

router = Router(tags=["Tokens"])

MinTtl = Annotated[
    float | None,
    Query(
        description="How many seconds the token must live on; by default 30, or half its life if that is less.",
        ge=0,
        le=TEN_YEARS,
        allow_inf_nan=False,
    ),
]
_TROUBLE = (
    "instance_not_found",
    "not_connected",
    "credentials_refused",
    "response_not_understood",
    "address_refused",
    "mint_budget_spent",
    "secret_unreadable",
    "provider_unavailable",
)


class TokenOut(Schema):
    """A token, and how to sign an API request with it."""

    access_token: str
    token_type: str = Field(description="As the provider calls it; empty if it doesn't.")
    expires_at: datetime | None = Field(description="Null: kept until it is refused.")
    expires_in: int | None = Field(description="Seconds. Null: kept until it is refused.")
    headers: dict[str, str] = Field(description="Header fields that an API request carries.")
    query: dict[str, str | list[str]] = Field(description="Query parameters that an API request carries.")
    base_url: str = Field(description="Where the API lives, without a trailing slash; empty if nothing says.")
    instance: UUID


@router.get(
    "/tenants/{tenant}/integrations/{key}/components/{component}/token",
    response=TokenOut,
    operation_id="read_token",
    summary="Read a tenant's token",
    **call("tokens:read", "several_instances", *_TROUBLE),
)
def read_token(request: ApiRequest, tenant: str, key: str, component: str, min_ttl: MinTtl = None) -> TokenOut:
    """The token of the tenant's instance behind a component. One that lives too short is renewed first."""
    refuse_unknown(request, "min_ttl")
    reaches = request.auth.reaches_integration(key) and request.auth.reaches_tenant(tenant)
    stored = stored_for(key, component, [tenant]).get(tenant) if reaches else None
    if quick := _served(stored, min_ttl):
        return quick
    components = Component.objects.all() if request.auth.reaches_integration(key) else Component.objects.none()
    return _token(components.instance(key, tenant, component, among=request.auth.instances()), min_ttl)


@router.get(
    "/instances/{instance_id}/token",
    response=TokenOut,
    operation_id="read_instance_token",
    summary="Read an instance's token",
    **call("tokens:read", *_TROUBLE),
)
def read_instance_token(request: ApiRequest, instance_id: InstanceId, min_ttl: MinTtl = None) -> TokenOut:
    """The instance's token. One that lives too short is renewed first."""
    refuse_unknown(request, "min_ttl")
    seen = request.auth.instances()
    pk = id_of(instance_id)
    stored = None if pk is None else seen.stored(pk)
    return _served(stored, min_ttl) or _token(instance_of(seen.for_reading(), instance_id), min_ttl)


class Rejected(Schema, extra="forbid"):
    access_token: str = Field(description="The token that was turned down.", min_length=1, max_length=65_536)


class RejectedOut(Schema):
    accepted: bool = Field(
        description="Whether the next reader gets another token. False: it was replaced already, or replacing it over "
        "and over does not help."
    )


@router.post(
    "/instances/{instance_id}/rejected",
    response=RejectedOut,
    operation_id="report_rejected",
    summary="Report a rejected token",
    **call("tokens:read", "instance_not_found", "secret_unreadable"),
)
def report_rejected(request: ApiRequest, instance_id: InstanceId, rejected: Rejected) -> RejectedOut:
    """An API turned this token down before its time. The next reader gets another one."""
    refuse_unknown(request)
    instance = instance_of(request.auth.instances(), instance_id)
    return RejectedOut(accepted=instance.report_rejected(rejected.access_token))


def _served(stored: Stored | None, min_ttl: float | None) -> TokenOut | None:
    """What is stored, where it will do as it is."""
    served = None if stored is None else stored.credentials(database_time.now(), min_ttl)
    return None if stored is None or served is None else _shown(served, stored.definition.method)


def _token(instance: Instance, min_ttl: float | None) -> TokenOut:
    return _shown(instance.credentials(min_ttl), definition_of(instance.auth_method).method)


def _shown(credentials: Credentials, method: Method) -> TokenOut:
    api = method.definition.api_request
    query = {name for name, template in (api.query or {}).items() if _holds_secret(method, _texts(template))}
    expires_at = credentials.expires_at
    return TokenOut(
        access_token=credentials.access_token,
        token_type=credentials.token_type,
        expires_at=None if expires_at is None else expires_at.astimezone(UTC),
        expires_in=None if expires_at is None else max(0, int((expires_at - database_time.now()).total_seconds())),
        headers={
            name: value
            for name, value in credentials.headers.items()
            if not _holds_secret(method, _texts((api.headers or {}).get(name)))
        },
        query=_grouped(credentials, leave_out=query),
        base_url="" if credentials.has_secret_base else credentials.base_url,
        instance=credentials.instance_id,
    )


def _grouped(credentials: Credentials, *, leave_out: set[str]) -> dict[str, str | list[str]]:
    """By name; a parameter that is there several times has a list."""
    values: dict[str, list[str]] = {}
    for name, value in credentials.query:
        if name not in leave_out:
            values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def _texts(template: object) -> tuple[str, ...]:
    parts = template if isinstance(template, list) else [template]
    return tuple(part for part in parts if isinstance(part, str))


def _holds_secret(method: Method, templates: Iterable[str]) -> bool:
    """Whether a variable marked secret is in it, directly or through a default. No response shows such a one."""
    names = frozenset(name for template in templates for name in names_in(template))
    return any(variable.secret for variable in method.variables if variable.key in method.behind(names))
