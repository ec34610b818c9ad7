"""Several instances connected or reconnected at once: all of them, or none."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, count
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from connectors import transport
from connectors.definitions import definition_of
from connectors.models import AuthMethod
from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.method import Method
from connectors.oauth2.request import endpoint_of
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from connectors.oauth2.values import resolve
from tenants import database_time
from tenants.asked import ask
from tenants.budgets import enter_request
from tenants.connecting import stored_token
from tenants.filled_in import kept_of, store_values, values_error, with_newer
from tenants.models import Event, Instance, Tenant, Token
from tenants.models.endpoint import note_wish, refuse_unwelcome
from tenants.models.lease import Sleep, lease_length, waiting
from tenants.models.next_values import NextValues

logger = logging.getLogger(__name__)

THREADS = 8


class NotAllConnected(Exception):
    """Some could not be connected, and so none was. `errors` says why, by name."""

    def __init__(self, errors: Mapping[str, LatchkeyError]) -> None:
        super().__init__(", ".join(errors))
        self.errors = dict(errors)


@dataclass(frozen=True)
class Wanted:
    """One instance to connect; or to reconnect with a whole new set of values. `set_at` as `connecting.connect` has it.

    A new one takes the first of `names` that is free, or the last with a number behind it.
    """

    auth_method: AuthMethod
    values: Mapping[str, str] = field(repr=False)
    set_at: Mapping[str, str] = field(repr=False)
    names: Sequence[str] = ("",)
    instance: Instance | None = None


@dataclass(frozen=True)
class _Asked:
    """What asking takes."""

    wanted: Wanted
    method: Method
    kept: dict[str, str] = field(repr=False)
    set_at: Mapping[str, str]
    rendering: Rendering = field(repr=False)
    endpoint: str
    token: Token | None


def connect_all(
    tenant: Tenant,
    wanted: Mapping[str, Wanted],
    *,
    keep: Callable[[Mapping[str, Instance]], None],
    actor: Any = None,
    send: Send = transport.send,
    clock: Clock = database_time.now,
    sleep: Sleep = time.sleep,
) -> None:
    """Ask for every token, then store all of it in one transaction.

    `keep` is called within that transaction with the instances by name; what it raises undoes everything. Nobody is
    asked while something is missing anywhere. Raises `NotAllConnected`.
    """
    lacking = {name: error for name, one in wanted.items() if (error := _lacks(one, clock()))}
    if lacking:
        raise NotAllConnected(lacking)
    with ExitStack() as leases:
        prepared = _prepared(wanted, leases, clock, sleep)
        answers = _answers(prepared, send, clock)
        for name, answer in answers.items():
            note_wish(prepared[name].endpoint, answer, clock())
        errors = {name: answer for name, answer in answers.items() if isinstance(answer, LatchkeyError)}
        if not errors:
            errors = _stored(tenant, prepared, answers, keep, actor, clock)
        if errors:
            _replace_killed(prepared, answers)
    if errors:
        raise NotAllConnected(errors)


def _lacks(wanted: Wanted, now: datetime) -> LatchkeyError | None:
    return values_error(wanted.auth_method, wanted.values, now)


def _prepared(wanted: Mapping[str, Wanted], leases: ExitStack, clock: Clock, sleep: Sleep) -> dict[str, _Asked]:
    """Everything that asking takes, each token to be replaced under a lease, each request entered into its budget."""
    tokens = _stored_tokens(wanted)
    _take_all(tokens, math.ceil(len(wanted) / THREADS), clock, sleep)
    for token in tokens.values():
        leases.callback(_give_back, token, token.lease_owner)
    prepared: dict[str, _Asked] = {}
    errors: dict[str, LatchkeyError] = {}
    for name, one in wanted.items():
        try:
            prepared[name] = _prepare(one, tokens.get(name), clock)
        except LatchkeyError as error:
            errors[name] = error
    if errors:
        raise NotAllConnected(errors)
    return prepared


def _prepare(wanted: Wanted, token: Token | None, clock: Clock) -> _Asked:
    definition = definition_of(wanted.auth_method)
    kept, set_at = kept_of(definition.method, wanted.values, now=clock()), dict(wanted.set_at)
    if wanted.instance is not None:
        kept, set_at = with_newer(wanted.instance, kept, set_at)
    rendering = resolve(definition.method, kept, definition.operator_values(), now=clock())
    endpoint = endpoint_of(definition.method, rendering)
    refuse_unwelcome(endpoint, clock())
    enter_request(definition.method, rendering)
    return _Asked(wanted, definition.method, kept, set_at, rendering, endpoint, token)


def _stored_tokens(wanted: Mapping[str, Wanted]) -> dict[str, Token]:
    """The tokens that are to be replaced, by name, in one order everywhere."""
    tokens: dict[str, Token] = {}
    for name, one in wanted.items():
        if one.instance is not None:
            with _blamed_on(name):
                tokens[name] = stored_token(one.instance)
    return dict(sorted(tokens.items(), key=lambda item: str(item[1].pk)))


def _take_all(tokens: Mapping[str, Token], exchanges: int, clock: Clock, sleep: Sleep) -> None:
    """Take all leases, each long enough for so many exchanges in a row.

    Who waits for one holds none of the others: they would run out meanwhile, and their tokens could not be renewed.
    """
    turns = waiting(clock=clock, sleep=sleep)
    while (held := _held_elsewhere(tokens, exchanges, clock)) is not None:
        with _blamed_on(held):
            next(turns)
            tokens[held].refresh_from_db()  # it may have been removed


def _held_elsewhere(tokens: Mapping[str, Token], exchanges: int, clock: Clock) -> str | None:
    """Whose lease somebody else holds, and then none of them is ours; None if all of them are."""
    with ExitStack() as taken:
        for name, token in tokens.items():
            with _blamed_on(name):
                if not token.take(clock(), exchanges):
                    return name
            taken.callback(token.give_back)
        taken.pop_all()
    return None


@contextmanager
def _blamed_on(name: str) -> Iterator[None]:
    try:
        yield
    except LatchkeyError as error:
        trouble = NotAllConnected({name: error})
    else:
        return
    raise trouble


def _give_back(token: Token, owner: UUID | None) -> None:
    # A transaction that was undone has given nothing back, whatever this object believes.
    if owner is not None:
        token.hold(owner)
    token.give_back()


def _answers(prepared: Mapping[str, _Asked], send: Send, clock: Clock) -> dict[str, TokenGrant | LatchkeyError]:
    """Every provider's answer, asked at the same time: the slowest of them says how long it takes."""
    if not prepared:
        return {}
    with ThreadPoolExecutor(max_workers=min(THREADS, len(prepared)), thread_name_prefix="connect") as pool:
        asked = {name: pool.submit(_answer, one, send, clock) for name, one in prepared.items()}
        return {name: asking.result() for name, asking in asked.items()}


def _answer(asked: _Asked, send: Send, clock: Clock) -> TokenGrant | LatchkeyError:
    try:
        return ask(asked.method, asked.rendering, send=send, clock=clock)
    except LatchkeyError as error:
        return error
    except Exception as error:
        # Its text may quote a value: only its kind is logged.
        logger.error("Connecting failed in an unforeseen way: %s", type(error).__name__)
    return ProviderUnavailable("The token could not be asked for.", "The platform met an error of its own.")


def _stored(
    tenant: Tenant,
    prepared: Mapping[str, _Asked],
    answers: Mapping[str, TokenGrant | LatchkeyError],
    keep: Callable[[Mapping[str, Instance]], None],
    actor: Any,
    clock: Clock,
) -> dict[str, LatchkeyError]:
    """Write everything, or nothing: then what stood in the way, by name."""
    at = ""
    try:
        with transaction.atomic():
            instances: dict[str, Instance] = {}
            for name, asked in prepared.items():
                at, grant = name, answers[name]
                if isinstance(grant, TokenGrant):
                    instances[name] = _store(tenant, asked, grant, actor, clock)
            keep(instances)
    except LatchkeyError as error:
        return {at: error}
    except IntegrityError:
        return {at: _overtaken()}
    return {}


def _store(tenant: Tenant, asked: _Asked, grant: TokenGrant, actor: Any, clock: Clock) -> Instance:
    wanted, token = asked.wanted, asked.token
    if wanted.instance is not None and token is not None:
        locked = Instance.objects.lock(wanted.instance.pk)
        store_values(locked, asked.kept, asked.set_at, clock)
        NextValues.objects.filter(pk=locked.pk).delete()
        token.endpoint = asked.endpoint
        if not token.keep(grant, kind=Event.Kind.RECONNECTED, actor=actor):
            raise _overtaken()
        return locked
    name = _free_name(tenant, wanted)
    instance = Instance.objects.create(tenant=tenant, auth_method=wanted.auth_method, name=name)
    store_values(instance, asked.kept, asked.set_at, clock)
    owner = uuid4()
    token = Token.objects.create(
        instance=instance, lease_owner=owner, lease_until=clock() + lease_length(), endpoint=asked.endpoint
    )
    token.hold(owner)
    token.keep(grant, kind=Event.Kind.CONNECTED, actor=actor)
    return instance


def _free_name(tenant: Tenant, wanted: Wanted) -> str:
    siblings = Instance.objects.filter(tenant=tenant, connector=wanted.auth_method.connector_id)
    taken = set(siblings.values_list("name", flat=True))
    numbered = (f"{wanted.names[-1]} {number}".strip() for number in count(2))
    return next(name for name in chain(wanted.names, numbered) if name not in taken)


def _replace_killed(prepared: Mapping[str, _Asked], answers: Mapping[str, TokenGrant | LatchkeyError]) -> None:
    """Where a new token killed the stored one, and came to nothing here: readers must not get the dead one."""
    for name, asked in prepared.items():
        is_killed = asked.method.definition.refresh.invalidates_previous and isinstance(answers[name], TokenGrant)
        if is_killed and asked.token is not None:
            asked.token.instance.report_rejected(asked.token.bought.access_token)


def _overtaken() -> ProviderUnavailable:
    return ProviderUnavailable(
        "Something was changed elsewhere while the provider was asked.",
        "Another process was quicker, and its result counts.",
        "Try again.",
    )
