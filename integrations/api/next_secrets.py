"""The next secret of an instance: look at it, take it away, let it take over. `PATCH` with `overlap` adds one."""

from datetime import datetime

from ninja import Router, Status
from pydantic import Field

from connectors.definitions import definition_of
from integrations import idempotency
from integrations.api.authentication import ApiRequest, call
from integrations.api.errors import NotFound
from integrations.api.instances import (
    IdempotencyKey,
    InstanceDetail,
    NextSecret,
    detail_of,
    next_secret_of,
    shown_values,
)
from integrations.api.pages import refuse_unknown
from integrations.api.seen import InstanceId, instance_of
from tenants import next_secret
from tenants.models import NextValues

router = Router(tags=["Instances"])


class NextSecretDetail(NextSecret):
    """A next secret, with what changes along with it."""

    values: dict[str, str] = Field(description="By variable key; without those that are secret.")
    set_at: dict[str, datetime] = Field(description="Since when each value is set, secret ones too.")


@router.get(
    "/instances/{instance_id}/next_secret",
    response=NextSecretDetail,
    operation_id="get_next_secret",
    summary="Show the next secret",
    **call("instances:read", "instance_not_found", "not_found", "secret_unreadable"),
)
def get_next_secret(request: ApiRequest, instance_id: InstanceId) -> NextSecretDetail:
    """What waits to take the present values' place, without what is secret. `not_found`: nothing does."""
    refuse_unknown(request)
    instance = instance_of(request.auth.instances().select_related("auth_method"), instance_id)
    held = NextValues.objects.filter(pk=instance.pk).first()
    if held is None:
        raise _none_held()
    return NextSecretDetail(
        **next_secret_of(held).model_dump(),
        values=shown_values(definition_of(instance.auth_method), held.values),
        set_at={key: datetime.fromisoformat(when) for key, when in held.set_at.items()},
    )


@router.delete(
    "/instances/{instance_id}/next_secret",
    response={204: None},
    operation_id="drop_next_secret",
    summary="Take the next secret away",
    **call("instances:write", "instance_not_found", "not_found"),
)
def drop_next_secret(request: ApiRequest, instance_id: InstanceId) -> Status[None]:
    """Forget it; the present values go on. `not_found`: none is held, or it took over meanwhile."""
    refuse_unknown(request)
    if not next_secret.drop(instance_of(request.auth.instances(), instance_id)):
        raise _none_held()
    return Status(204, None)


@router.post(
    "/instances/{instance_id}/next_secret/take_over",
    response=InstanceDetail,
    operation_id="retire_present_secret",
    summary="Retire the present secret",
    **call(
        "instances:write",
        "instance_not_found",
        "not_found",
        "idempotency_key_in_use",
        "idempotency_key_reused",
        "secret_unreadable",
    ),
)
def retire_present_secret(
    request: ApiRequest, instance_id: InstanceId, idempotency_key: IdempotencyKey = None
) -> InstanceDetail:
    """Let the next secret take over now, untried: the present one is not used again.

    The provider is not asked: the stored token is served while it lives, and the status stays as it is. `refresh` tries
    the new one at once. `not_found`: no next secret is held, or it took over meanwhile.
    """
    refuse_unknown(request)
    instance = instance_of(request.auth.instances(), instance_id)

    def retire() -> dict[str, object]:
        if not next_secret.retire_present(instance):
            raise _none_held()
        return detail_of(request, instance_id).model_dump(mode="json")

    answer = idempotency.once(request.auth, idempotency_key, f"{request.method} {request.path}", retire)
    return InstanceDetail.model_validate(answer)


def _none_held() -> NotFound:
    return NotFound(
        "No next secret is held for this instance.",
        "None was added, it was taken away, or it works and took over.",
        "PATCH the instance with “overlap” to add one.",
    )
