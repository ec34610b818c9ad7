"""Instances: look, change, renew, remove."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

from django.db.models import Q
from ninja import Header, Query, Router, Schema, Status
from pydantic import Field

from connectors.definitions import Definition, definition_of
from integrations import idempotency
from integrations.api.authentication import ApiRequest, call
from integrations.api.instance_change import InstanceChange, apply
from integrations.api.pages import Cursor, Limit, Order, page, refuse_unknown
from integrations.api.seen import InstanceId, instance_of
from integrations.models import Component
from tenants import connecting
from tenants.errors import NotConnected
from tenants.models import Instance, InstanceValues, NextValues, Token

router = Router(tags=["Instances"])

StatusName = Literal["pending", "active", "failing", "action_required", "paused"]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Makes the request safe to repeat for a day: it is worked on once.",
        min_length=1,
        max_length=idempotency.LONGEST,
        pattern=r"^[\x21-\x7e]+$",
    ),
]
_TROUBLE = (
    "instance_not_found",
    "credentials_refused",
    "response_not_understood",
    "address_refused",
    "mint_budget_spent",
    "secret_unreadable",
    "provider_unavailable",
)
BY_ID = Order("instances", ("pk",), lambda row: [str(row.pk)], lambda place: Q(pk__gt=place[0]))


class Trouble(Schema):
    code: str
    detail: str = Field(description="For a person to read.")


class NextSecret(Schema):
    """Values that wait to take the present ones' place; they are tried first at each renewal."""

    added_at: datetime
    refused_at: datetime | None = Field(description="When the provider first refused them. Null: it did not.")
    detail: str = Field(description="The provider's reason, for a person to read.")
    secret_expires_at: datetime | None


class InstanceOut(Schema):
    """One tenant's configured use of one authentication method."""

    id: UUID
    tenant: str = Field(description="The tenant's key.")
    connector: str = Field(description="The connector's key.")
    auth_method: str = Field(description="The authentication method's key.")
    name: str
    status: StatusName
    error: Trouble | None = Field(description="Why the status is `failing` or `action_required`.")
    expires_at: datetime | None = Field(description="When the token dies. Null: no token, or kept until it is refused.")
    renewed_at: datetime | None = Field(description="When the provider last gave a token.")
    next_renewal_at: datetime | None = Field(description="Null: not by itself.")
    secret_expires_at: datetime | None = Field(description="When the secret runs out. Null: not known.")
    next_secret: NextSecret | None = Field(description="Null: none waits.")
    created_at: datetime
    updated_at: datetime


class InstanceDetail(InstanceOut):
    """An instance, with what was filled in."""

    values: dict[str, str] = Field(description="By variable key; without those that are secret.")
    set_at: dict[str, datetime] = Field(description="Since when each value is set, secret ones too.")


class InstancePage(Schema):
    items: list[InstanceOut]
    next_cursor: str | None


@router.get(
    "/instances",
    response=InstancePage,
    operation_id="list_instances",
    summary="List instances",
    **call("instances:read"),
)
def list_instances(
    request: ApiRequest,
    tenant: str | None = None,
    connector: str | None = None,
    integration: Annotated[str | None, Query(description="Those that its components read.")] = None,
    status: StatusName | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> InstancePage:
    """The instances that the key reaches, in the order of their ids."""
    refuse_unknown(request, "tenant", "connector", "integration", "status", "cursor", "limit")
    rows = request.auth.instances()
    if integration is not None and not request.auth.reaches_integration(integration):
        rows = rows.none()
    elif integration is not None:
        rows = rows.filter(Component.objects.filter(integration__key=integration).reads())
    wanted = {"tenant__key": tenant, "connector__key": connector, "status": status}
    rows = rows.filter(**{column: value for column, value in wanted.items() if value is not None})
    # Nothing is decrypted for a list.
    rows = rows.select_related("tenant", "connector", "auth_method", "token", "filled_in", "next_values")
    rows = rows.defer("token__secrets", "filled_in__values", "next_values__values")
    found, next_cursor = page(rows, BY_ID, cursor, limit)
    return InstancePage(items=[_outline(row) for row in found], next_cursor=next_cursor)


@router.get(
    "/instances/{instance_id}",
    response=InstanceDetail,
    operation_id="get_instance",
    summary="Show an instance",
    **call("instances:read", "instance_not_found", "secret_unreadable"),
)
def get_instance(request: ApiRequest, instance_id: InstanceId) -> InstanceDetail:
    """The instance, and what was filled in, without what is secret."""
    refuse_unknown(request)
    return detail_of(request, instance_id)


@router.patch(
    "/instances/{instance_id}",
    response=InstanceDetail,
    operation_id="change_instance",
    summary="Change an instance",
    **call("instances:write", "name_taken", *_TROUBLE),
)
def change_instance(request: ApiRequest, instance_id: InstanceId, change: InstanceChange) -> InstanceDetail:
    """Change the name, some values, or whether it is paused.

    New values are tried at once, those of an `action_required` instance included; if they are refused, nothing changes.
    With `overlap` they are kept all the same, beside the present ones, and `next_secret` says what became of them.
    """
    refuse_unknown(request)
    instance = instance_of(request.auth.instances(), instance_id)
    apply(instance, change)
    return detail_of(request, instance_id)


@router.delete(
    "/instances/{instance_id}",
    response={204: None},
    operation_id="remove_instance",
    summary="Remove an instance",
    **call("instances:write", "instance_not_found"),
)
def remove_instance(request: ApiRequest, instance_id: InstanceId) -> Status[None]:
    """Delete it with its values, its token and its history."""
    refuse_unknown(request)
    connecting.remove(instance_of(request.auth.instances(), instance_id))
    return Status(204, None)


@router.post(
    "/instances/{instance_id}/refresh",
    response=InstanceDetail,
    operation_id="refresh_instance",
    summary="Renew now",
    **call("instances:write", "not_connected", "idempotency_key_in_use", "idempotency_key_reused", *_TROUBLE),
)
def refresh_instance(
    request: ApiRequest, instance_id: InstanceId, idempotency_key: IdempotencyKey = None
) -> InstanceDetail:
    """Renew the token now, whatever the schedule says; then make the method's test request, if it has one.

    Where a new token would kill the old one, one that still lives is only tried.
    """
    refuse_unknown(request)
    instance = instance_of(request.auth.instances(), instance_id)

    def renew() -> dict[str, object]:
        if instance.status == Instance.Status.PAUSED:
            raise NotConnected(f"{instance} is paused.", "A person stopped it.", "Resume it first.")
        connecting.check_now(instance)
        return detail_of(request, instance_id).model_dump(mode="json")

    answer = idempotency.once(request.auth, idempotency_key, f"{request.method} {request.path}", renew)
    return InstanceDetail.model_validate(answer)


def detail_of(request: ApiRequest, instance_id: str) -> InstanceDetail:
    """The instance as its own address shows it. Raises `InstanceNotFound`, `SecretUnreadable`."""
    related = ("tenant", "connector", "auth_method", "token", "filled_in", "next_values")
    rows = (
        request.auth.instances()
        .select_related(*related)
        .defer("token__secrets", "next_values__values", "connector__logo")
    )
    row = instance_of(rows, instance_id)
    filled_in: InstanceValues | None = getattr(row, "filled_in", None)
    values, dates = (filled_in.values, filled_in.set_at) if filled_in else ({}, {})
    shown = shown_values(definition_of(row.auth_method), values)
    set_at = {key: datetime.fromisoformat(when) for key, when in dates.items() if key in values}
    return InstanceDetail(**_outline(row).model_dump(), values=shown, set_at=set_at)


def shown_values(definition: Definition, values: Mapping[str, str]) -> dict[str, str]:
    """Those that no response has to hide."""
    by_key = definition.method.by_key
    # A value whose variable is gone may have been secret.
    return {key: text for key, text in values.items() if key in by_key and not by_key[key].secret}


def _outline(row: Instance) -> InstanceOut:
    token: Token = getattr(row, "token", None) or Token()
    filled_in: InstanceValues | None = getattr(row, "filled_in", None)
    following: NextValues | None = getattr(row, "next_values", None)
    return InstanceOut(
        id=row.pk,
        tenant=row.tenant.key,
        connector=row.connector.key,
        auth_method=row.auth_method.key,
        name=row.name,
        status=cast(StatusName, row.status),
        error=Trouble(code=row.status_code, detail=row.status_reason) if row.status_code else None,
        expires_at=token.expires_at,
        renewed_at=token.renewed_at,
        next_renewal_at=token.refresh_at,
        secret_expires_at=filled_in.secret_expires_at if filled_in else None,
        next_secret=next_secret_of(following) if following else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def next_secret_of(following: NextValues) -> NextSecret:
    """Without any of its values."""
    return NextSecret(
        added_at=following.added_at,
        refused_at=following.refused_at,
        detail=following.refusal,
        secret_expires_at=following.secret_expires_at,
    )
