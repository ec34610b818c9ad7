"""Change a secret without an outage: the next one stands beside the present one until it works."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from connectors import transport
from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.values import check_complete, resolve
from tenants import database_time
from tenants.connecting import reload, stored_token
from tenants.filled_in import kept_of
from tenants.models.endpoint import refuse_unwelcome
from tenants.models.event import Event
from tenants.models.instance import Instance
from tenants.models.lease import Sleep, lease_length
from tenants.models.next_values import NextValues
from tenants.models.succession import adopt_now
from tenants.models.token import Token

ADDED = "A next secret was added. It is tried first, and takes the present one's place as soon as it works."
DROPPED = "The next secret was taken away; the present one stays."
RETIRED = "The present secret was retired; the next one has taken its place."


def add(
    instance: Instance,
    values: Mapping[str, str],
    *,
    secret_expires_at: datetime | None = None,
    actor: Any = None,
    send: Send = transport.send,
    clock: Clock = database_time.now,
    sleep: Sleep = time.sleep,
) -> Instance:
    """Keep these values beside the present ones, and try them at once.

    If they work they have taken over when this returns; if the provider doesn't know them yet the present ones go on,
    and the next ones are tried first at each renewal. An earlier next secret is forgotten. Raises `ValidationFailed`
    with nothing stored, `InstanceNotFound`, or the `TokenError` that asking ended in, with the next values kept.
    """
    token = stored_token(instance)
    method = token.definition.method
    now = clock()
    following = kept_of(method, values, now=now)
    if not following:
        raise ValidationFailed("No next value was given.", remedy="Give the new secret.")
    complete = {**_present(token), **following}
    check_complete(method, resolve(method, complete, token.definition.operator_values(), now=now))
    with transaction.atomic():
        locked, now = Instance.objects.lock(instance.pk), clock()
        NextValues.objects.update_or_create(
            instance=locked,
            defaults={
                "values": following,
                "set_at": {key: now.isoformat(timespec="seconds") for key in following},
                "added_at": now,
                "secret_expires_at": secret_expires_at,
                "refused_at": None,
                "refusal": "",
            },
        )
        locked.event(Event.Kind.CHANGED, at=now, message=ADDED, actor=actor).save(force_insert=True)
        if locked.status == Instance.Status.ACTION_REQUIRED:
            # Nobody would come back to it by itself, should this process die before it has asked.
            Token.objects.filter(pk=locked.pk, refresh_at=None).update(refresh_at=now + lease_length())
    if locked.status != Instance.Status.PAUSED:
        _try_at_once(instance, actor, send, clock, sleep)
    reload(instance)
    return instance


def drop(instance: Instance, *, actor: Any = None, clock: Clock = database_time.now) -> bool:
    """Forget the next secret; whether there was one."""
    with transaction.atomic():
        locked = Instance.objects.lock(instance.pk)
        is_dropped = bool(NextValues.objects.filter(pk=instance.pk).delete()[0])
        if is_dropped:
            locked.event(Event.Kind.CHANGED, at=clock(), message=DROPPED, actor=actor).save(force_insert=True)
    return is_dropped


def retire_present(instance: Instance, *, actor: Any = None, clock: Clock = database_time.now) -> bool:
    """Let the next secret take over untried: the present one is not used again. Whether there was a next one."""
    with transaction.atomic():
        locked = Instance.objects.lock(instance.pk)
        is_retired = adopt_now(locked)
        if is_retired:
            locked.event(Event.Kind.CHANGED, at=clock(), message=RETIRED, actor=actor).save(force_insert=True)
    return is_retired


def _try_at_once(instance: Instance, actor: Any, send: Send, clock: Clock, sleep: Sleep) -> None:
    token = stored_token(instance)
    token.take_in_turn(clock=clock, sleep=sleep)
    trouble: LatchkeyError | None = None
    try:
        if token.instance.status == Instance.Status.PAUSED:
            return  # by a person, while the lease was waited for
        refuse_unwelcome(token.locate(clock()), clock())
        token.renew(send=send, clock=clock, actor=actor)
    except LatchkeyError as error:
        trouble = error
    finally:
        token.give_back()
    if trouble is not None:
        raise trouble


def _present(token: Any) -> dict[str, str]:
    filled_in = getattr(token.instance, "filled_in", None)
    return dict(filled_in.values) if filled_in else {}
