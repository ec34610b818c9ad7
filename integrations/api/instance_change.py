"""What PATCH takes for an instance, and how it is done."""

import re
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from tenants import connecting, next_secret, secret_expiry
from tenants.errors import InstanceNotFound
from tenants.models import Instance

Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Tells several apart.")]

_RFC_3339 = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _moment(given: Any) -> datetime | None:
    if given is None:
        return None
    try:
        return datetime.fromisoformat(_RFC_3339.fullmatch(given)[0])  # type: ignore[index]  # (no match: TypeError)
    except (TypeError, ValueError):
        pass
    raise PydanticCustomError("rfc_3339", "Write a moment from the year 2000 on, such as 2027-01-31T00:00:00Z")


Moment = Annotated[
    datetime | None,
    BeforeValidator(_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
]


class InstanceChange(Schema):
    """What is not named stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name = ""
    values: dict[str, str | None] = Field(
        {}, description="By variable key; tried at once, and kept only if they buy a token. Null takes one away."
    )
    paused: bool = False
    overlap: bool = Field(
        False,
        description="Keep `values` as the next ones beside the present ones: they are tried first, and take over as "
        "soon as they work.",
    )
    secret_expires_at: Moment = Field(
        None, description="When the secret runs out; with `overlap`, the next one. Null: not known."
    )


def apply(instance: Instance, change: InstanceChange) -> None:
    """Make the change or nothing. Raises `NameTaken`, `ValidationFailed`, `InstanceNotFound` or a `TokenError`."""
    given = change.model_fields_set
    name = change.name.strip() if "name" in given else instance.name
    new_name = None if name == instance.name else name
    if change.overlap:
        if new_name is not None:
            connecting.check_name(instance, new_name)
        _add_next(instance, _following(change), change.secret_expires_at)
    if change.values and not change.overlap:
        # Together: of two who bring a secret and its date at once, none gets the other's date.
        within = partial(_set_expiry, change) if "secret_expires_at" in given else _nothing
        connecting.reconnect(instance, values=change.values, only_named=True, name=new_name, within=within)
    elif new_name is not None:
        connecting.rename(instance, new_name)
    if "secret_expires_at" in given and not change.overlap and not change.values:
        _set_expiry(change, instance)
    if "paused" in given:
        (connecting.pause if change.paused else connecting.resume)(instance, reason="Through the API.")


def _set_expiry(change: InstanceChange, instance: Instance) -> None:
    secret_expiry.set_expiry(instance, change.secret_expires_at)


def _nothing(instance: Instance) -> None:
    """There is nothing else to be stored."""


def _following(change: InstanceChange) -> dict[str, str]:
    if not change.values:
        problem = "There are no values to keep beside the present ones."
        raise ValidationFailed("Nothing is to overlap.", remedy="Name the new secret.", fields={"overlap": problem})
    lacking = {key: "A next value can't be null." for key, value in change.values.items() if value is None}
    if lacking:
        raise ValidationFailed("A value can't be taken away with an overlap.", fields=lacking)
    return {key: value for key, value in change.values.items() if value is not None}


def _add_next(instance: Instance, values: dict[str, str], secret_expires_at: datetime | None) -> None:
    try:
        next_secret.add(instance, values, secret_expires_at=secret_expires_at)
    except (ValidationFailed, InstanceNotFound):
        raise
    except LatchkeyError:
        # It is kept, as was asked. That no token could be had with it, or with the present one, the answer says by
        # the instance's status.
        return
