"""Connect, reconnect, check, pause, resume, remove: what people do to instances, alike from wizard, admin and API."""

import logging
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from connectors import transport
from connectors.definitions import definition_of
from connectors.models import AuthMethod
from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable, ValidationFailed
from connectors.oauth2.exchange import Clock, Send, ask, try_token
from connectors.oauth2.method import Method
from connectors.oauth2.values import check_given, resolve
from tenants.errors import NameTaken
from tenants.models.event import Event
from tenants.models.instance import Instance, InstanceQuerySet, InstanceValues
from tenants.models.lease import Sleep, lease_length
from tenants.models.tenant import Tenant
from tenants.models.token import Token

logger = logging.getLogger(__name__)


def connect(
    tenant: Tenant,
    auth_method: AuthMethod,
    *,
    name: str = "",
    values: Mapping[str, str],
    set_at: Mapping[str, str] | None = None,
    actor: Any = None,
    send: Send = transport.send,
    clock: Clock = timezone.now,
) -> Instance:
    """Ask for a token with these values, and make an instance of it. Nothing is stored if that fails.

    `set_at` says since when each value is set (RFC 3339, by variable key). Raises `NameTaken`, `ValidationFailed` or a
    `TokenError`.
    """
    name = name.strip()
    _refuse_taken(Instance.objects.filter(tenant=tenant, connector=auth_method.connector_id), name)
    definition = definition_of(auth_method)
    kept = _kept(definition.method, values)
    rendering = resolve(definition.method, kept, definition.operator_values(), now=clock(), uuid=uuid4())
    grant = ask(definition.method, rendering, send=send, clock=clock)
    try:
        with transaction.atomic():
            instance = Instance.objects.create(tenant=tenant, auth_method=auth_method, name=name)
            _store_values(instance, kept, set_at, clock)
            token = Token.objects.create(instance=instance, lease_owner=uuid4(), lease_until=clock() + lease_length())
            token.keep(grant, kind=Event.Kind.CONNECTED, actor=actor)
    except IntegrityError:
        pass
    else:
        return instance
    # Another connection took the name while the provider was asked.
    raise _name_taken(name)


def add_pending(
    tenant: Tenant, auth_method: AuthMethod, *, name: str = "", values: Mapping[str, str], clock: Clock = timezone.now
) -> Instance:
    """An instance whose token is still to be asked for (`check_now`). Raises `NameTaken` or `ValidationFailed`."""
    _refuse_taken(Instance.objects.filter(tenant=tenant, connector=auth_method.connector_id), name.strip())
    kept = _kept(definition_of(auth_method).method, values)
    with transaction.atomic():
        instance = Instance.objects.create(tenant=tenant, auth_method=auth_method, name=name.strip())
        _store_values(instance, kept, None, clock)
        Token.objects.create(instance=instance)
    return instance


def reconnect(
    instance: Instance,
    *,
    values: Mapping[str, str],
    set_at: Mapping[str, str] | None = None,
    name: str | None = None,
    actor: Any = None,
    send: Send = transport.send,
    clock: Clock = timezone.now,
    sleep: Sleep = time.sleep,
) -> Instance:
    """Ask for a token with a whole new set of values; only when there is one do they take the old ones' place.

    On failure the old values and the old token stay. A paused instance is resumed. Raises as `connect` does.
    """
    if name is not None:
        _refuse_taken(_siblings(instance), name.strip())
    token = _token(instance)
    kept = _kept(token.definition.method, values)
    token.take_in_turn(clock=clock, sleep=sleep)
    trouble: LatchkeyError | None = None
    try:
        method = token.definition.method
        rendering = resolve(method, kept, token.definition.operator_values(), now=clock(), uuid=uuid4())
        grant = ask(method, rendering, send=send, clock=clock)
        with transaction.atomic():
            if name is not None:
                Instance.objects.filter(pk=instance.pk).update(name=name.strip())
            _store_values(instance, kept, set_at, clock)
            if not token.keep(grant, kind=Event.Kind.RECONNECTED, actor=actor):
                raise ProviderUnavailable("The provider took too long to answer.", remedy="Try again.")
    except LatchkeyError as error:
        trouble = error
    except IntegrityError:
        trouble = _name_taken(name or "")
    finally:
        token.give_back()
    if trouble is not None:
        raise trouble
    instance.refresh_from_db()
    return instance


def check_now(
    instance: Instance,
    *,
    actor: Any = None,
    send: Send = transport.send,
    clock: Clock = timezone.now,
    sleep: Sleep = time.sleep,
) -> Instance:
    """Renew the token now, whatever the schedule says, and make the definition's test request.

    Where a new token would kill the old one, a token that still lives is only tried, not replaced. Raises
    `ValidationFailed` or a `TokenError`; what went wrong is recorded as it is for a renewal.
    """
    token = _token(instance)
    token.take_in_turn(clock=clock, sleep=sleep)
    definition = token.definition
    if definition.method.definition.refresh.invalidates_previous and token.will_do(clock(), 0.0):
        token.give_back()
    else:
        first = instance.status == Instance.Status.PENDING
        token.renew(send=send, clock=clock, kind=Event.Kind.CONNECTED if first else Event.Kind.RENEWED, actor=actor)
    token.refresh_from_db()
    instance.refresh_from_db()
    try_token(definition.method, token.rendering(clock()), token.bought, send=send)
    instance.record(Event.Kind.CHECKED, before=instance.status, at=clock(), actor=actor)
    return instance


def pause(instance: Instance, *, actor: Any = None, clock: Clock = timezone.now) -> None:
    """Stop renewing, and hand out no token."""
    with transaction.atomic():
        locked = Instance.objects.select_for_update(of=("self",)).get(pk=instance.pk)
        if locked.status != Instance.Status.PAUSED:
            Token.objects.filter(pk=instance.pk).update(refresh_at=None)
            _change_status(locked, Instance.Status.PAUSED, Event.Kind.PAUSED, actor, clock)
    instance.refresh_from_db()


def resume(instance: Instance, *, actor: Any = None, clock: Clock = timezone.now) -> None:
    """Go on: a token that still lives serves again, and one is asked for at the next tick."""
    with transaction.atomic():
        locked = Instance.objects.select_for_update(of=("self",)).get(pk=instance.pk)
        if locked.status == Instance.Status.PAUSED:
            token = Token.objects.get(pk=instance.pk)
            status = Instance.Status.ACTIVE if token.life else Instance.Status.PENDING
            due = None if token.life is None else token.planned() if token.will_do(clock()) else clock()
            Token.objects.filter(pk=instance.pk).update(refresh_at=due, failures=0)
            _change_status(locked, status, Event.Kind.RESUMED, actor, clock)
    instance.refresh_from_db()


def rename(instance: Instance, name: str, *, actor: Any = None, clock: Clock = timezone.now) -> None:
    """Give the instance another name. Raises `NameTaken`."""
    _refuse_taken(_siblings(instance), name.strip())
    try:
        with transaction.atomic():
            Instance.objects.filter(pk=instance.pk).update(name=name.strip())
            instance.refresh_from_db()
            instance.record(
                Event.Kind.CHANGED, before=instance.status, at=clock(), message="The name was changed.", actor=actor
            )
    except IntegrityError:
        pass
    else:
        return
    raise _name_taken(name.strip())


def remove(instance: Instance, *, actor: Any = None) -> None:
    """Delete the instance with its values, its token and its history."""
    logger.info("Instance %s of tenant %s removed.", instance.pk, instance.tenant_id)
    instance.delete()


def readers_of(instance: Instance) -> list[str]:
    """What reads the instance's tokens: the integrations' components that are tied to its connector or method."""
    components = instance.connector.components.filter(
        Q(auth_method=None) | Q(auth_method=instance.auth_method_id)
    ).select_related("integration")
    return [f"{component.integration.name} ({component.name})" for component in components]


def _token(instance: Instance) -> Token:
    return Token.objects.with_definitions().get(pk=instance.pk)


def _siblings(instance: Instance) -> InstanceQuerySet:
    return Instance.objects.filter(tenant=instance.tenant_id, connector=instance.connector_id).exclude(pk=instance.pk)


def _refuse_taken(others: InstanceQuerySet, name: str) -> None:
    if others.filter(name=name).exists():
        raise _name_taken(name)


def _name_taken(name: str) -> NameTaken:
    called = f"called “{name}”" if name else "without a name"
    return NameTaken(
        f"There is an instance {called} already.",
        "Names tell instances of one connector apart.",
        "Choose another name.",
    )


def _kept(method: Method, values: Mapping[str, str]) -> dict[str, str]:
    """What is worth keeping of given values: all but those that say what the default says anyway.

    Raises `ValidationFailed`.
    """
    problems = check_given(method, values)
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


def _store_values(instance: Instance, values: dict[str, str], set_at: Mapping[str, str] | None, clock: Clock) -> None:
    now = clock().isoformat(timespec="seconds")
    InstanceValues.objects.update_or_create(
        instance=instance,
        defaults={"values": values, "set_at": {key: (set_at or {}).get(key, now) for key in values}},
    )


def _change_status(locked: Instance, status: str, kind: str, actor: Any, clock: Clock) -> None:
    before, locked.status = locked.status, status
    locked.status_code = locked.status_reason = ""
    locked.save(update_fields=["status", "status_code", "status_reason", "updated_at"])
    locked.record(kind, before=before, at=clock(), actor=actor)
