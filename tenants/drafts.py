"""Drafts: what is typed is kept encrypted, tried once however often it is asked for, and gone when done."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from connectors.definitions import definition_of
from connectors.models import AuthMethod
from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from connectors.oauth2.exchange import Clock
from tenants import connecting, database_time
from tenants.errors import NameTaken
from tenants.filled_in import values_error
from tenants.models import Draft, Instance, Tenant
from tenants.models.lease import lease_length

log = logging.getLogger(__name__)

LIFE = timedelta(days=1)

UNEXPECTED = LatchkeyError(
    "Something went wrong on this side.",
    "It is a fault of this platform, not of what you filled in.",
    "Try again in a moment. If it happens again, tell the administrator of this platform when it did.",
)


def begin(tenant: Tenant, user: User, method: AuthMethod, *, pk: UUID, instance: Instance | None = None) -> Draft:
    """The user's draft of that id, or a new one: a form that is sent twice fills in one draft.

    `instance`: the one to reconnect; the draft then starts with its values.
    """
    # Looked for among all: an id that is somebody else's leads to a draft of another id, not to theirs.
    found = Draft.objects.filter(pk=pk).first()
    if found is None:
        draft = Draft(pk=pk, tenant=tenant, user=user, auth_method=method, instance=instance)
        if instance is not None:
            draft.values = dict(instance.filled_in.values)
            draft.set_at = dict(instance.filled_in.set_at)
        draft.save(force_insert=True)
        return draft
    is_same = (found.tenant_id, found.user_id, found.auth_method_id) == (tenant.pk, user.pk, method.pk)
    return found if is_same else begin(tenant, user, method, pk=uuid4(), instance=instance)


def submit(
    draft: Draft, typed: Mapping[str, str | None], *, name: str | None = None, clock: Clock = database_time.now
) -> None:
    """Keep what was typed; where it will do, the draft is then ready to be tried, else its `problem` says why not.

    `typed` is by variable key; None takes a value away, and what is not named stays. `name` None: it is not asked for.
    Changes nothing while the draft is being tried, or once it is connected.
    """
    with transaction.atomic():
        if not _keep(draft, typed, name, clock()):
            return
        draft.problem = _problem_with(draft, asks_name=name is not None, now=clock())
        draft.state = Draft.State.OPEN if draft.problem else Draft.State.CONNECTING
        draft.save()


def hand_on(
    draft: Draft, typed: Mapping[str, str | None], *, name: str | None = None, clock: Clock = database_time.now
) -> bool:
    """Keep what was typed, and let another member of the tenant take the draft over; whether that could be.

    Until somebody does it stays its user's, who takes it back by going on with it.
    """
    with transaction.atomic():
        if not _keep(draft, typed, name, clock()):
            return False
        draft.name = draft.name[:NAME_LENGTH]
        draft.hand_on_key, draft.problem = uuid4(), None
        draft.save()
    return True


def take_back(draft: Draft) -> bool:
    """The link leads nowhere any more; False if it was followed before."""
    return bool(Draft.objects.filter(pk=draft.pk, user=draft.user_id).update(hand_on_key=None))


def take_over(draft: Draft, user: User, *, clock: Clock = database_time.now) -> bool:
    """Make the draft that was handed on this user's. One statement, so that of any number one gets it."""
    waiting = Draft.objects.filter(pk=draft.pk, hand_on_key=draft.hand_on_key).exclude(hand_on_key=None)
    return bool(waiting.update(user=user, handed_on_by=draft.user_id, hand_on_key=None, updated_at=clock()))


def run(
    draft: Draft,
    *,
    connect: Callable[..., Instance] = connecting.connect,
    reconnect: Callable[..., Instance] = connecting.reconnect,
    clock: Clock = database_time.now,
) -> None:
    """Try the draft, if it is ready and nobody else is at it. However it ends, the draft says so afterwards."""
    started = clock()
    if not _claim(draft, started):
        return
    problem: dict[str, Any] | None = None
    instance: Instance | None = None
    try:
        instance = _exchange(draft, connect, reconnect)
    except LatchkeyError as error:
        problem = described(error)
    except Exception:
        log.exception("draft %s could not be tried", draft.pk)
        problem = described(UNEXPECTED)
    _settle(draft, started, instance, problem)


def is_claimable(draft: Draft, now: datetime) -> bool:
    """Whether the draft waits for somebody to try it: nobody has yet, or who did is gone."""
    if draft.state != Draft.State.CONNECTING:
        return False
    return draft.started_at is None or draft.started_at < now - patience(reconnects=draft.instance_id is not None)


def patience(*, reconnects: bool) -> timedelta:
    """How long after its start nobody can still be trying a draft, so that it may be tried again."""
    # Reconnecting may first wait for a renewal of the same instance; see `Leased.take_in_turn`.
    return lease_length() * (3 if reconnects else 1)


def cancel(draft: Draft, *, clock: Clock = database_time.now) -> bool:
    """Delete the draft and what it holds, unless it is being tried or connected. Answers whether it is gone."""
    return bool(_free(draft, clock()).delete()[0])


def prune(now: datetime) -> int:
    """Delete the drafts that nobody has touched for a day; answers how many."""
    return Draft.objects.filter(updated_at__lt=now - LIFE).delete()[0]


def described(error: LatchkeyError) -> dict[str, Any]:
    """The error as a draft's `problem`."""
    problem: dict[str, Any] = {
        "code": error.code,
        "what": error.what,
        "why": error.why,
        "remedy": error.remedy,
        "fields": error.fields if isinstance(error, ValidationFailed) else {},
    }
    if isinstance(error, NameTaken):
        problem["name"] = error.what
    return problem


_SETTLED = (Draft.State.CONNECTING, Draft.State.CONNECTED)


def _untried(now: datetime) -> Q:
    """Drafts that are ready to be tried and that nobody is at; see `is_claimable`."""
    abandoned = Q(instance=None, started_at__lt=now - patience(reconnects=False))
    abandoned |= Q(started_at__lt=now - patience(reconnects=True))
    return Q(state=Draft.State.CONNECTING) & (Q(started_at=None) | abandoned)


def _free(draft: Draft, now: datetime) -> QuerySet[Draft]:
    """The draft's row, if it is still this user's and nobody is trying it."""
    return Draft.objects.filter(~Q(state__in=_SETTLED) | _untried(now), pk=draft.pk, user=draft.user_id)


def _keep(draft: Draft, typed: Mapping[str, str | None], name: str | None, now: datetime) -> bool:
    """Fill in what was typed, still to be saved; False, and the draft read anew, if it isn't free."""
    # The condition also takes the row's lock, so that of two submissions one waits.
    if not _free(draft, now).update(state=Draft.State.OPEN, started_at=None):
        draft.refresh_from_db()
        return False
    _fill(draft, typed, now)
    draft.name = draft.name if name is None else name
    draft.state, draft.started_at, draft.hand_on_key = Draft.State.OPEN, None, None
    return True


def _claim(draft: Draft, now: datetime) -> bool:
    """One statement, so that of any number of tabs, reloads and processes one wins."""
    won = Draft.objects.filter(_untried(now), pk=draft.pk).update(started_at=now, updated_at=now)
    draft.refresh_from_db()
    return bool(won)


def _exchange(draft: Draft, connect: Callable[..., Instance], reconnect: Callable[..., Instance]) -> Instance:
    given = {"values": draft.values, "set_at": draft.set_at, "actor": draft.user}
    if draft.instance is not None:
        return reconnect(draft.instance, **given)
    return connect(draft.tenant, draft.auth_method, name=draft.name, **given)


def _settle(draft: Draft, started: datetime, instance: Instance | None, problem: dict[str, Any] | None) -> None:
    with transaction.atomic():
        # Only if the draft is still ours: somebody may have taken it over after a very long pause of this process.
        ours = Draft.objects.filter(pk=draft.pk, state=Draft.State.CONNECTING, started_at=started)
        if ours.update(started_at=None):
            draft.state = Draft.State.FAILED if instance is None else Draft.State.CONNECTED
            draft.problem, draft.started_at = problem, None
            if instance is not None:
                # The instance holds the values now; here they would only be a second copy.
                draft.instance, draft.values, draft.set_at = instance, {}, {}
            draft.save()


def _fill(draft: Draft, typed: Mapping[str, str | None], now: datetime) -> None:
    known = definition_of(draft.auth_method).method.by_key
    # A variable that the definition no longer has could neither be seen nor mended in the form.
    values = {key: value for key, value in draft.values.items() if key in known}
    set_at = {key: moment for key, moment in draft.set_at.items() if key in known}
    for key, value in typed.items():
        if value is None:
            values.pop(key, None)
            set_at.pop(key, None)
        elif values.get(key) != value or key not in set_at:
            values[key] = value
            set_at[key] = now.isoformat()
    draft.values, draft.set_at = values, set_at


def _problem_with(draft: Draft, *, asks_name: bool, now: datetime) -> dict[str, Any] | None:
    """What is wrong with a draft before anybody is asked, as its `problem`."""
    error = values_error(draft.auth_method, draft.values, now)
    name = _name_error(draft) if asks_name else ""
    if error is None and not name:
        return None
    problem = described(error or ValidationFailed(name))
    return {**problem, "name": name} if name else problem


def _name_error(draft: Draft) -> str:
    others = Instance.objects.filter(tenant=draft.tenant, connector=draft.auth_method.connector)
    if others.filter(name=draft.name).exists():
        connector = draft.auth_method.connector
        return (
            f"You have a connection to {connector} called “{draft.name}” already. Choose another name."
            if draft.name
            else f"Give it a name: you have a connection to {connector} without one already."
        )
    return f"A name has at most {NAME_LENGTH} characters." if len(draft.name) > NAME_LENGTH else ""


NAME_LENGTH = 200
