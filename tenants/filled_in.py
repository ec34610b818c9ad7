"""What was filled in for an instance: whether it will do, which of it is kept, and how."""

from collections.abc import Mapping
from datetime import datetime

from connectors.definitions import definition_of
from connectors.encryption import SecretUnreadable
from connectors.models import AuthMethod
from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.exchange import Clock
from connectors.oauth2.method import Method
from connectors.oauth2.values import check_complete, check_given, missing, resolve
from tenants.models.instance import Instance, InstanceValues


def kept_of(method: Method, values: Mapping[str, str], *, now: datetime) -> dict[str, str]:
    """What is worth keeping of given values: all but those that say what the default says anyway.

    Raises `ValidationFailed`.
    """
    problems = check_given(method, values, now=now)
    if problems:
        titles = ", ".join(method.by_key[key].title if key in method.by_key else key for key in problems)
        raise ValidationFailed(
            f"Some values can't be used: {titles}.", remedy="Correct them and connect again.", fields=problems
        )
    return {
        key: value
        for key, value in values.items()
        if value != method.by_key[key].default and (value or not method.by_key[key].required)
    }


def with_newer(
    instance: Instance, values: Mapping[str, str], set_at: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """These values and since when each is set; but where the instance was given a newer one meanwhile, that.

    A form, and a draft that waited, bring along what they found: a secret that a next one has since replaced must not
    come back with it. Needs the token's lease, so that nothing else changes afterwards.
    """
    newest, since = dict(values), dict(set_at)
    held = InstanceValues.objects.defer("values").filter(pk=instance.pk).first()
    known = held.set_at if held else {}
    newer = {key for key in values if key in known and key in since and _is_later(known[key], since[key])}
    if held is None or not newer:
        return newest, since
    try:
        stored = held.values
    except SecretUnreadable:
        return newest, since  # new values mend that
    for key in newer & stored.keys():
        newest[key], since[key] = stored[key], known[key]
    return newest, since


def _is_later(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def store_values(instance: Instance, values: dict[str, str], set_at: Mapping[str, str] | None, clock: Clock) -> None:
    """Put these values in place of the stored ones; `set_at` says since when each is set, if not since now.

    When a secret runs out is known of the one that was stored, not of another.
    """
    now = clock().isoformat(timespec="seconds")
    secrets = definition_of(instance.auth_method).method.secret_keys
    if any(key in values and (set_at or {}).get(key) is None for key in secrets):
        InstanceValues.objects.filter(pk=instance.pk).update(secret_expires_at=None, warned_days=None)
    # Deferred: the old values may not be readable any more, and that is what new ones mend.
    InstanceValues.objects.defer("values").update_or_create(
        instance=instance,
        defaults={"values": values, "set_at": {key: (set_at or {}).get(key, now) for key in values}},
    )


def values_error(auth_method: AuthMethod, values: Mapping[str, str], now: datetime) -> ValidationFailed | None:
    """What is wrong with values before anybody is asked for a token; None where they will do."""
    definition = definition_of(auth_method)
    bad = check_given(definition.method, values, now=now)
    rendering = resolve(definition.method, values, definition.operator_values(), now=now)
    lacking = [variable for variable in missing(definition.method, rendering) if variable.key not in bad]
    if not bad:
        try:
            check_complete(definition.method, rendering)
        except ValidationFailed as error:
            return error
        return None
    fields = {**{variable.key: "This value is required." for variable in lacking}, **bad}
    what = "One value needs mending." if len(fields) == 1 else f"{len(fields)} values need mending."
    return ValidationFailed(what, remedy="Mend what is marked below, and connect again.", fields=fields)
