"""Set-up sessions: create, commit, cancel, prune; alike from the API and the pages behind the link."""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from connectors import transport
from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from connectors.oauth2.exchange import Clock, Send
from integrations import links, redirects
from integrations.models import Binding, Integration, Session, SessionPart
from integrations.retrying import wait_for
from integrations.session_parts import AUTH_METHOD, Given, Reconnected, Request, methods_for
from tenants import database_time, drafts
from tenants.errors import removed
from tenants.models import Instance, Notice, Tenant
from tenants.models.instance import InstanceQuerySet
from tenants.models.lease import Sleep
from tenants.together import NotAllConnected, Wanted, connect_all

logger = logging.getLogger(__name__)

SHORTEST, USUAL, LONGEST = 60, 60 * 60, 7 * 24 * 60 * 60  # seconds
_CANCELLED = {"code": "cancelled", "what": "The set-up was cancelled.", "why": "", "remedy": "", "fields": {}}
# What became of a session can be looked up for so long after its expiry.
KEPT = timedelta(days=90)


class SessionExpired(LatchkeyError):
    """The session's time is over."""

    code = "session_expired"
    permanent = True


class SessionInUse(LatchkeyError):
    """Somebody is connecting the session's components just now."""

    code = "session_in_use"
    retry_after = 2.0


class SessionFailed(LatchkeyError):
    """Not everything could be connected, and so nothing was. `parts` says what stood in the way, by component.

    `code` is the first component's.
    """

    permanent = True

    def __init__(
        self, session: Session, parts: Mapping[str, Mapping[str, Any]], *, retry_after: float | None = None
    ) -> None:
        first = next(iter(parts.values()))
        super().__init__("Not everything could be connected, and so nothing was.", detail_of(first))
        self.session = session
        self.parts = parts
        self.retry_after = retry_after  # seconds; None: waiting alone doesn't help
        self.code = first["code"]  # type: ignore[misc]  # of the class everywhere else; here it is the component's


def create(
    integration: Integration,
    *,
    tenant: str,
    tenant_name: str = "",
    redirect_url: str = "",
    given: Given | None = None,
    components: list[str] | None = None,
    instances: Reconnected = (),
    expires_in: int = USUAL,
    origin: str = "",
    auto_close: bool = False,
    among: InstanceQuerySet | None = None,
    clock: Clock = database_time.now,
) -> tuple[Session, str]:
    """A session and the secret part of its link, which is stored nowhere. The tenant, by its key, is made if it is new.

    `given` are values by component and variable; `instances` are to be reconnected, a list of ids or ids by component;
    `among` are those that the asker may name; `origin` is that of the page which embeds the wizard. Raises
    `ValidationFailed` with everything that is wrong.
    """
    now = clock()
    request = Request(integration, given or {}, components, instances)
    request.problems.update(_problems(integration, tenant, tenant_name, redirect_url, expires_in))
    if origin and origin not in integration.allowed_origins:
        request.problems["origin"] = "The integration's allowed_origins don't have it. An administrator can add it."
    seen = Instance.objects.all() if among is None else among
    parts = request.parts(seen.of(tenant), now)
    if request.problems:
        count = len(request.problems)
        what = "One value can't be used." if count == 1 else f"{count} values can't be used."
        raise ValidationFailed(what, _listed(request.problems), fields=request.problems)
    text, digest = links.new()
    with transaction.atomic():
        row, _ = Tenant.objects.get_or_create(key=tenant, defaults={"name": tenant_name.strip()})
        session = Session.objects.create(
            digest=digest,
            integration=integration,
            tenant=row,
            redirect_url=redirect_url,
            origin=origin,
            auto_close=auto_close,
            created_at=now,
            expires_at=now + timedelta(seconds=expires_in),
        )
        for part in parts:
            part.session = session
            part.save()
    return session, text


def commit(
    session: Session,
    *,
    send: Send = transport.send,
    clock: Clock = database_time.now,
    sleep: Sleep = time.sleep,
) -> None:
    """Connect everything with what is filled in, all or nothing. A session that is complete already stays as it is.

    Raises `SessionExpired`, `SessionInUse` or `SessionFailed`; what went wrong is recorded, and can be tried again.
    """
    started = _claim(session, clock)
    if started is None:
        return
    parts = {part.component.name: part for part in parts_of(session)}
    if not parts:
        Session.objects.filter(pk=session.pk, started_at=started).update(started_at=None, expires_at=started)
        raise SessionExpired(
            "The integration no longer has what this session was to set up.", remedy="Create a new one."
        )
    errors: dict[str, LatchkeyError]
    try:
        wanted = _wanted(parts)
        connect_all(
            session.tenant,
            wanted,
            keep=lambda instances: _complete(session, parts, instances, started, clock()),
            send=send,
            clock=clock,
            sleep=sleep,
        )
    except NotAllConnected as error:
        errors = error.errors
    except Exception as error:
        # Its text may quote a value: only its kind is logged.
        logger.error("Session %s could not be connected: %s", session.pk, type(error).__name__)
        errors = {next(iter(parts)): drafts.UNEXPECTED}
    else:
        return
    problems = {name: drafts.described(errors[name]) for name in parts if name in errors}
    _fail(session, parts, problems, started, clock())
    raise SessionFailed(session, problems, retry_after=wait_for(errors.values()))


def cancel(session: Session, *, clock: Clock = database_time.now) -> bool:
    """The tenant's user gives up: what they filled in is deleted. False while it is being connected, or over.

    Who gives up after a failure leaves that failure standing; else the code is `cancelled`.
    """
    has_failed = session.state == Session.State.FAILED
    with transaction.atomic():
        free = Session.objects.claimable(clock()).filter(pk=session.pk)
        if free.update(state=Session.State.FAILED, is_ready=False, started_at=None):
            parts = parts_of(session)
            for part in parts:
                part.values = {key: value for key, value in part.values.items() if key in part.given}
                part.set_at = {key: moment for key, moment in part.set_at.items() if key in part.given}
                part.is_typed = False
                part.problem = part.problem if has_failed else _CANCELLED
                part.save()
            if not has_failed:
                _tell(session, parts, Notice.Type.SESSION_FAILED, clock())
    session.refresh_from_db()
    return session.state == Session.State.FAILED


def prune(now: datetime) -> None:
    """Delete what was filled in for sessions that are over, and sessions that nobody looks up any more."""
    stale = SessionPart.objects.filter(session__expires_at__lte=now).exclude(set_at={}, given=[])
    for pk in stale.order_by().values_list("pk", flat=True):
        SessionPart.objects.filter(pk=pk).update(values={}, set_at={}, given=[])
    Session.objects.filter(expires_at__lt=now - KEPT).delete()


def parts_of(session: Session) -> list[SessionPart]:
    """The session's parts in their order, with everything that connecting reads."""
    related = ("component__connector", "component__auth_method", "auth_method__connector", "instance")
    return list(session.parts.select_related(*related))


def detail_of(problem: Mapping[str, Any]) -> str:
    """A part's problem in words, each value that is meant named by its key."""
    parts = [problem["what"], problem["why"], problem["remedy"], _listed(problem["fields"])]
    return " ".join(part for part in parts if part)


def _listed(fields: Mapping[str, str]) -> str:
    return " ".join(f"{key}: {text}" for key, text in fields.items())


def _problems(
    integration: Integration, tenant: str, tenant_name: str, redirect_url: str, expires_in: int
) -> dict[str, str]:
    problems = {}
    try:
        Tenant._meta.get_field("key").clean(tenant, None)
    except ValidationError as error:
        problems["tenant"] = " ".join(error.messages)
    if len(tenant_name) > 200 or not tenant_name.isprintable():
        problems["tenant_name"] = "A name is one line of at most 200 characters."
    if redirect_url and (problem := redirects.problem_with(redirect_url, integration.allowed_redirects)):
        problems["redirect_url"] = problem
    if not SHORTEST <= expires_in <= LONGEST:
        problems["expires_in"] = f"This must be from {SHORTEST} to {LONGEST} seconds (7 days)."
    return problems


def _claim(session: Session, clock: Clock) -> datetime | None:
    """Take the session for connecting it; None if it is complete. One statement, so that of any number one wins."""
    started = clock()
    won = Session.objects.claimable(started).filter(pk=session.pk).update(started_at=started)
    session.refresh_from_db()
    if won:
        return started
    if session.state == Session.State.COMPLETE:
        return None
    if session.expires_at <= started:
        raise SessionExpired("This session has expired.", remedy="Create a new one.")
    raise SessionInUse("This session is being connected just now.", remedy="Look again in a moment.")


def _wanted(parts: Mapping[str, SessionPart]) -> dict[str, Wanted]:
    """Raises `NotAllConnected`."""
    errors: dict[str, LatchkeyError] = {}
    wanted: dict[str, Wanted] = {}
    for name, part in parts.items():
        if part.auth_method is None:
            keys = ", ".join(method.key for method in methods_for(part))
            problem = f"This is required: one of {keys}."
            errors[name] = ValidationFailed("An authentication method must be chosen.", fields={AUTH_METHOD: problem})
        elif part.reconnects and part.instance is None:
            errors[name] = removed()
        else:
            names = (part.name,) if part.name else ("", part.component.name)
            # What this session brings is set from now on; only what stays has been set for longer.
            since = {key: moment for key, moment in part.since.items() if key not in part.values}
            wanted[name] = Wanted(part.auth_method, part.filled_in, since, names, part.instance)
    if errors:
        raise NotAllConnected(errors)
    return wanted


def _complete(
    session: Session,
    parts: Mapping[str, SessionPart],
    instances: Mapping[str, Instance],
    started: datetime,
    now: datetime,
) -> None:
    ours = Session.objects.filter(pk=session.pk, started_at=started)
    if not ours.update(state=Session.State.COMPLETE, started_at=None, finished_at=now):
        raise SessionInUse("Somebody else has taken this session over.", remedy="Look again in a moment.")
    for name, part in parts.items():
        instance = part.instance = instances[name]
        # The instance holds the values now; here they would only be a second copy.
        part.values, part.set_at, part.given, part.problem = {}, {}, [], None
        part.save()
        Binding.objects.update_or_create(
            component=part.component, tenant=session.tenant, defaults={"instance": instance}
        )
    session.state, session.started_at, session.finished_at = Session.State.COMPLETE, None, now
    _tell(session, parts.values(), Notice.Type.SESSION_COMPLETED, now)


def _fail(
    session: Session, parts: Mapping[str, SessionPart], problems: Mapping[str, Any], started: datetime, now: datetime
) -> None:
    with transaction.atomic():
        ours = Session.objects.filter(pk=session.pk, started_at=started)
        if ours.update(state=Session.State.FAILED, started_at=None, is_ready=False):
            for name, part in parts.items():
                part.problem = problems.get(name)
                part.save(update_fields=["problem"])
            _tell(session, parts.values(), Notice.Type.SESSION_FAILED, now)
    session.refresh_from_db()


def _tell(session: Session, parts: Iterable[SessionPart], type: str, now: datetime) -> None:
    """Put down that the host is to be told, in the words of `GET /sessions/{id}`. Within the caller's transaction."""
    is_complete = type == Notice.Type.SESSION_COMPLETED
    components: dict[str, dict[str, Any]] = {}
    for part in parts:
        status = "complete" if is_complete else "failed" if part.problem else "open"
        said = components[part.component.name] = {"status": status}
        if part.instance_id is not None:
            said["instance"] = str(part.instance_id)
        if part.problem and not is_complete:
            said["error"] = {"code": part.problem["code"], "detail": detail_of(part.problem)}
    status = "complete" if is_complete else "failed"
    about = {"session": str(session.pk), "integration": session.integration.key, "status": status}
    Notice.objects.create(type=type, at=now, tenant_id=session.tenant_id, more={**about, "components": components})
