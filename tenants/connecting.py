"""Connect, reconnect, check, pause, resume, remove: what people do to instances, alike from wizard, admin and API."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q

from connectors import transport
from connectors.definitions import definition_of
from connectors.models import AuthMethod
from connectors.oauth2.errors import TokenRejected
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.request import endpoint_of
from connectors.oauth2.values import resolve
from tenants import database_time
from tenants.at_once import asked, overtaken, renewed, tried
from tenants.errors import removed
from tenants.filled_in import kept_of, store_values, with_newer
from tenants.models.event import Event
from tenants.models.instance import Instance, InstanceQuerySet, InstanceValues
from tenants.models.lease import Sleep, lease_length
from tenants.models.next_values import NextValues
from tenants.models.notice import Notice, notice_of
from tenants.models.tenant import Tenant
from tenants.models.token import Token
from tenants.names import conflict, free_name

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
    clock: Clock = database_time.now,
) -> Instance:
    """Ask for a token with these values, and make an instance of it. Nothing is stored if that fails.

    `set_at` says since when each value is set (RFC 3339, by variable key). Raises `NameTaken`, `ValidationFailed` or a
    `TokenError`.
    """
    name = free_name(_in_use(tenant, auth_method), name)
    definition = definition_of(auth_method)
    kept = kept_of(definition.method, values, now=clock())
    rendering = resolve(definition.method, kept, definition.operator_values(), now=clock())
    endpoint = endpoint_of(definition.method, rendering)
    grant = asked(definition.method, rendering, endpoint, send, clock)
    owner = uuid4()
    try:
        with transaction.atomic():
            instance = Instance.objects.create(tenant=tenant, auth_method=auth_method, name=name)
            store_values(instance, kept, set_at, clock)
            token = Token.objects.create(
                instance=instance, lease_owner=owner, lease_until=clock() + lease_length(), endpoint=endpoint
            )
            token.hold(owner)
            token.keep(grant, kind=Event.Kind.CONNECTED, actor=actor)
    except IntegrityError:
        pass
    else:
        return instance
    raise conflict(_in_use(tenant, auth_method), name)


def add_pending(
    tenant: Tenant,
    auth_method: AuthMethod,
    *,
    name: str = "",
    values: Mapping[str, str],
    clock: Clock = database_time.now,
) -> Instance:
    """An instance whose token is still to be asked for (`check_now`). Raises `NameTaken` or `ValidationFailed`."""
    name = free_name(_in_use(tenant, auth_method), name)
    kept = kept_of(definition_of(auth_method).method, values, now=clock())
    try:
        with transaction.atomic():
            instance = Instance.objects.create(tenant=tenant, auth_method=auth_method, name=name)
            store_values(instance, kept, None, clock)
            Token.objects.create(instance=instance)
    except IntegrityError:
        pass
    else:
        return instance
    raise conflict(_in_use(tenant, auth_method), name)


def reconnect(
    instance: Instance,
    *,
    values: Mapping[str, str | None],
    set_at: Mapping[str, str] | None = None,
    only_named: bool = False,
    name: str | None = None,
    within: Callable[[Instance], None] = lambda locked: None,
    actor: Any = None,
    send: Send = transport.send,
    clock: Clock = database_time.now,
    sleep: Sleep = time.sleep,
) -> Instance:
    """Ask for a token with a whole new set of values; only when there is one do they take the old ones' place.

    With `only_named` the values that aren't named stay, and so does a pause. None takes a value away. Otherwise a value
    that `set_at` says is older than the stored one gives way to that. On failure the old values and the old token stay.
    A paused instance is otherwise resumed. `within` is called in the transaction that stores the values. Raises as
    `connect` does.
    """
    if name is not None:
        name = free_name(_siblings(instance), name)
    token = stored_token(instance)
    method = token.definition.method
    kept = kept_of(method, {key: value for key, value in values.items() if value is not None}, now=clock())
    token.take_in_turn(clock=clock, sleep=sleep)
    is_conflict = False
    try:
        if token.definition.method is not method:  # saved while the lease was waited for
            method = token.definition.method
            kept = kept_of(method, kept, now=clock())
        if only_named:
            # Read under the lease, so that two changes at the same time don't undo one another.
            stored = InstanceValues.objects.filter(pk=instance.pk).first() or InstanceValues()
            staying = {key: value for key, value in stored.values.items() if key not in values}
            kept, set_at = {**staying, **kept}, {key: stored.set_at[key] for key in staying if key in stored.set_at}
        else:
            kept, set_at = with_newer(instance, kept, set_at or {})
        rendering = resolve(method, kept, token.definition.operator_values(), now=clock())
        token.endpoint = endpoint_of(method, rendering)
        grant = asked(method, rendering, token.endpoint, send, clock)
        with transaction.atomic():
            locked = Instance.objects.lock(instance.pk)
            if name is not None:
                locked.name = name
                locked.save(update_fields=["name", "updated_at"])
            store_values(locked, kept, set_at, clock)
            NextValues.objects.filter(pk=instance.pk).delete()
            within(locked)
            if not token.keep(grant, kind=Event.Kind.CHANGED if only_named else Event.Kind.RECONNECTED, actor=actor):
                raise overtaken()
    except IntegrityError:
        is_conflict = True
    finally:
        token.give_back()
    if is_conflict:
        raise conflict(_siblings(instance), name or "")
    reload(instance)
    return instance


def check_now(
    instance: Instance,
    *,
    actor: Any = None,
    send: Send = transport.send,
    clock: Clock = database_time.now,
    sleep: Sleep = time.sleep,
) -> Instance:
    """Renew the token now, whatever the schedule says, and make the definition's test request.

    Where a new token would kill the old one, a token that still lives is only tried, and replaced if the API turns it
    down. Raises `ValidationFailed` or a `TokenError`; what went wrong is recorded.
    """
    token = stored_token(instance)
    token.take_in_turn(clock=clock, sleep=sleep)
    refresh = token.definition.method.definition.refresh
    if refresh.invalidates_previous and token.will_do(clock(), 0.0):
        token.give_back()
        trouble = tried(token, send, clock)
        if isinstance(trouble, TokenRejected):
            turned_down = token.bought.access_token
            token.take_in_turn(clock=clock, sleep=sleep)
            if token.will_do(clock(), 0.0) and token.bought.access_token != turned_down:
                token.give_back()  # somebody else heard it too, and was quicker
            else:
                renewed(token, actor, send, clock)
            trouble = tried(token, send, clock)
    else:
        renewed(token, actor, send, clock)
        trouble = tried(token, send, clock)
    code, message = (trouble.code, str(trouble)) if trouble else ("", "")
    with transaction.atomic():
        locked = Instance.objects.lock(instance.pk)  # somebody may have paused or removed it by now
        locked.record(Event.Kind.CHECKED, before=locked.status, at=clock(), code=code, message=message, actor=actor)
    reload(instance)
    if trouble:
        raise trouble
    return instance


def pause(instance: Instance, *, reason: str = "", actor: Any = None, clock: Clock = database_time.now) -> None:
    """Stop renewing, and hand out no token. `reason` is for the history, where `actor` doesn't say enough."""
    with transaction.atomic():
        locked = Instance.objects.lock(instance.pk)
        if locked.status != Instance.Status.PAUSED:
            Token.objects.filter(pk=instance.pk).update(refresh_at=None)
            _change_status(locked, Instance.Status.PAUSED, Event.Kind.PAUSED, reason, actor, clock)
    reload(instance)


def resume(instance: Instance, *, reason: str = "", actor: Any = None, clock: Clock = database_time.now) -> None:
    """Go on: a token that still lives serves again, and one is asked for at the next tick. `reason`: as for `pause`."""
    with transaction.atomic():
        locked = Instance.objects.lock(instance.pk)
        if locked.status == Instance.Status.PAUSED:
            token = stored_token(locked)
            status = Instance.Status.ACTIVE if token.life else Instance.Status.PENDING
            # One that never had a token is asked for by itself only if that was tried before, and failed.
            is_to_be_asked = token.life is not None or token.failures > 0
            due = token.planned() if token.will_do(clock()) else clock() if is_to_be_asked else None
            Token.objects.filter(pk=instance.pk).update(refresh_at=due, failures=0)
            _change_status(locked, status, Event.Kind.RESUMED, reason, actor, clock)
    reload(instance)


def check_name(instance: Instance, name: str) -> None:
    """Raises what `rename` would: `NameTaken`, or `ValidationFailed` where it can't be a name."""
    free_name(_siblings(instance), name)


def rename(instance: Instance, name: str, *, actor: Any = None, clock: Clock = database_time.now) -> None:
    """Give the instance another name. Raises `NameTaken`."""
    name = free_name(_siblings(instance), name)
    try:
        with transaction.atomic():
            locked = Instance.objects.lock(instance.pk)
            locked.name = name
            locked.save(update_fields=["name", "updated_at"])
            locked.record(
                Event.Kind.CHANGED, before=locked.status, at=clock(), message="The name was changed.", actor=actor
            )
    except IntegrityError:
        pass
    else:
        reload(instance)
        return
    raise conflict(_siblings(instance), name)


def remove(instance: Instance, *, actor: Any = None, clock: Clock = database_time.now) -> None:
    """Delete the instance with its values, its token and its history. One that is gone already is no error."""
    with transaction.atomic():
        # A renewal in flight waits for this, and then finds nothing to write to.
        locked = Instance.objects.select_for_update().order_by().filter(pk=instance.pk).first()
        pk = instance.pk
        if locked is not None:
            notice_of(locked, Notice.Type.REMOVED, at=clock()).save()
        instance.delete()
    by = "" if actor is None else f" by user {actor.pk}"
    logger.info("Instance %s of tenant %s removed%s.", pk, instance.tenant_id, by)


def readers_of(instance: Instance) -> list[str]:
    """What reads the instance's tokens: the integrations' components that are tied to its connector or method."""
    components = instance.connector.components.filter(
        Q(auth_method=None) | Q(auth_method=instance.auth_method_id)
    ).select_related("integration")
    return [f"{component.integration.name} ({component.name})" for component in components]


def stored_token(instance: Instance) -> Token:
    """The instance's token, without its secrets, which may be unreadable. Raises `InstanceNotFound`."""
    tokens = Token.objects.with_methods().defer("secrets").filter(pk=instance.pk)
    token = tokens.first()
    if token is None:  # no row yet, or none any more
        with transaction.atomic():
            Token.objects.get_or_create(instance=Instance.objects.lock(instance.pk))
        token = tokens.first()
    if token is None:
        raise removed()
    return token


def reload(instance: Instance) -> None:
    """Read it anew. Raises `InstanceNotFound`."""
    try:
        instance.refresh_from_db()
    except Instance.DoesNotExist:
        pass
    else:
        return
    raise removed()


def _in_use(tenant: Tenant, auth_method: AuthMethod) -> InstanceQuerySet:
    return Instance.objects.filter(tenant=tenant, connector=auth_method.connector_id)


def _siblings(instance: Instance) -> InstanceQuerySet:
    return Instance.objects.filter(tenant=instance.tenant_id, connector=instance.connector_id).exclude(pk=instance.pk)


def _change_status(locked: Instance, status: str, kind: str, reason: str, actor: Any, clock: Clock) -> None:
    before, locked.status = locked.status, status
    locked.status_code = locked.status_reason = ""
    locked.save(update_fields=["status", "status_code", "status_reason", "updated_at"])
    locked.record(kind, before=before, at=clock(), message=reason, actor=actor)
