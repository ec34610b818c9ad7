"""The token that an instance bought.

One renewal: take the lease, `ask` the provider with no transaction open, then `keep` the grant or `fail` with the
error; both write only while the lease is still ours. The schedule and readers share this path.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models, transaction
from django.db.models import F, Q

from connectors.encryption import SecretUnreadable
from connectors.fields import EncryptedJSONField
from connectors.oauth2.errors import LatchkeyError, MintBudgetSpent
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.request import Bought
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from tenants import renewal
from tenants.budgets import budget_of
from tenants.credentials import bought_of
from tenants.errors import removed
from tenants.fingerprints import LENGTH, fingerprint
from tenants.models import recovery
from tenants.models.asking import Asking
from tenants.models.event import Event
from tenants.models.freshness import freshen
from tenants.models.instance import Instance
from tenants.models.lease import Ends, Sleep, claim, claim_found, free
from tenants.models.outcome import Outcome, write_back

_OF_A_GRANT = (
    "secrets",
    "fingerprint",
    "issued_at",
    "expires_at",
    "renewed_at",
    "refresh_at",
    "failures",
    "is_rejected",
    "endpoint",
)
# What acting for a token reads: not the definition's many sections, which are remembered by their revision.
_READ = (
    *_OF_A_GRANT,
    "rejections",
    "rejections_since",
    "lease_owner",
    "lease_until",
    *(f"instance__{name}" for name in ("tenant", "connector", "name", "status", "status_code", "status_reason")),
    *(f"instance__auth_method__{name}" for name in ("connector", "revision")),
)
_OF_A_REJECTION = ("is_rejected", "rejections", "rejections_since", "refresh_at")


class TokenQuerySet(models.QuerySet["Token"]):
    def due(self, now: datetime) -> Self:
        """Tokens whose time has come and which nobody is renewing, the longest overdue first."""
        return self.filter(free(now), refresh_at__lte=now).order_by("refresh_at")

    def with_methods(self) -> Self:
        """Everything that says how to ask, in one query; what a definition says is remembered by its revision."""
        return self.select_related("instance__auth_method").only(*_READ)

    def stranded(self, origin: str, now: datetime) -> Self:
        """Tokens that wait for this endpoint: their time has come, or asking failed before. Soonest to die first."""
        waiting = Q(refresh_at__lte=now) | Q(refresh_at__isnull=False, failures__gt=0)
        return self.filter(waiting, free(now), endpoint=origin).order_by(F("expires_at").asc(nulls_last=True), "pk")

    def move_from(self, origin: str, auth_method: int, now: datetime) -> None:
        """Forget that a method's tokens were last asked for here: its definition names another endpoint by now."""
        self.filter(free(now), endpoint=origin, instance__auth_method=auth_method).update(endpoint="")


class Token(Asking):
    """An instance's token and when it is renewed. There is one for every instance, empty until one is bought."""

    # {"access_token": …, "token_type": …, "kept": {name: value}, "steps": {name: value}, "dpop_key": …}
    secrets = EncryptedJSONField(null=True)
    # Of the access token: whether the provider handed back the same one. None: not known.
    fingerprint = models.BinaryField(max_length=LENGTH, null=True, editable=False)
    issued_at = models.DateTimeField(null=True)
    # None, where there is a token: it is kept until an API refuses it.
    expires_at = models.DateTimeField(null=True)
    # When the provider last answered with a token; later than `issued_at` if that was the same one.
    renewed_at = models.DateTimeField(null=True)
    # When it is next asked for; None: not by itself.
    refresh_at = models.DateTimeField(null=True)
    # Failures in a row since the last success: backoff grows with it.
    failures = models.PositiveIntegerField(default=0)
    # An API turned this token down; and how often that happened lately, since when.
    is_rejected = models.BooleanField(default=False)
    rejections = models.PositiveIntegerField(default=0)
    rejections_since = models.DateTimeField(null=True)

    objects = TokenQuerySet.as_manager()

    # `secrets` as stored, where the row was read past the ORM: decrypted only if somebody looks at it.
    sealed: bytes | None = None

    class Meta:
        indexes = (
            models.Index(fields=("refresh_at",), name="token_due", condition=Q(refresh_at__isnull=False)),
            models.Index(fields=("lease_owner",), name="token_lease", condition=Q(lease_owner__isnull=False)),
            models.Index(
                fields=("endpoint", "expires_at"), name="token_of_endpoint", condition=Q(refresh_at__isnull=False)
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(lease_owner__isnull=True, lease_until__isnull=True)
                | Q(lease_owner__isnull=False, lease_until__isnull=False),
                name="token_lease_whole",
                violation_error_message="A lease has an owner and an end.",
            ),
        )

    def __str__(self) -> str:
        return f"token of {self.instance_id}"

    @classmethod
    def claim_due(
        cls, now: datetime, *, owner: UUID, ends: Ends, limit: int, closed: Collection[str] = ()
    ) -> list[UUID]:
        """Take the leases of up to `limit` due tokens for `owner`, save those of endpoints that are `closed`."""
        if closed or connection.vendor != "postgresql":
            due = cls.objects.due(now).exclude(endpoint__in=closed)
            return claim(due, now, owner=owner, ends=ends, limit=limit)
        found, parameters = _due(limit)
        return claim_found(cls, found, [now] * parameters, owner=owner, ends=ends)

    @property
    def life(self) -> renewal.Life | None:
        return None if self.issued_at is None else renewal.Life(self.issued_at, self.expires_at)

    @property
    def retry_at(self) -> datetime | None:
        """When it is tried again after a failure; None if there was none, or its cause is known to be gone."""
        return self.refresh_at if self.failures else None

    @property
    def is_repeated(self) -> bool:
        """Whether the provider, when last asked, handed back the same token."""
        return renewal.is_repeated(self.life, self.renewed_at)

    @property
    def bought(self) -> Bought:
        """The token in the clear. Raises `SecretUnreadable`."""
        if self.sealed is not None and "secrets" not in self.__dict__:
            field: Any = type(self)._meta.get_field("secrets")
            self.secrets = field.from_db_value(self.sealed, None, connection)
        return bought_of(self.secrets, self.expires_at)

    def will_do(self, now: datetime, min_ttl: float | None = None) -> bool:
        """Whether the stored token can be handed to a reader who wants `min_ttl` seconds of it."""
        return renewal.will_do(self.life, self.renewed_at, self.is_rejected, now, min_ttl)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """As Django's, the instance and its method in the same query. Raises `InstanceNotFound` if it was removed."""
        if not args and not kwargs:  # else it is Django, fetching a deferred column
            kwargs = {"from_queryset": type(self).objects.with_methods()}
            self.__dict__.pop("definition", None)
        try:
            super().refresh_from_db(*args, **kwargs)
        except ObjectDoesNotExist:
            pass
        else:
            return
        raise removed()

    def rendering(self, now: datetime, following: Mapping[str, str] | None = None) -> Rendering:
        rendering = super().rendering(now, following)
        # Later tokens are bound to the same key: a provider that hands back the same token again means that one.
        is_bound = self.definition.method.definition.token_request.dpop
        return replace(rendering, dpop_key=self.bought.dpop_key) if is_bound else rendering

    def fresh(self, min_ttl: float | None, *, send: Send, clock: Clock, sleep: Sleep) -> None:
        """See to it that the stored token can be handed to a reader: renew it, or wait for who is renewing it.

        Raises as `freshness.freshen`.
        """
        freshen(self, min_ttl, send=send, clock=clock, sleep=sleep)

    def renew(self, *, send: Send, clock: Clock, kind: str = Event.Kind.RENEWED, actor: Any = None) -> bool:
        """Ask and keep, or fail; the lease must be ours. Raises what `ask` raises, once it is written down.

        False if the lease had passed to another when the answer came: then the other's result counts, not ours.
        """
        try:
            grant = self.ask(send=send, clock=clock)
        except LatchkeyError as error:
            trouble = error
        else:
            is_kept = self.keep(grant, kind=kind, actor=actor)
            recovery.note([self.heard(grant)], clock(), tokens=Token.objects)
            return is_kept
        # Raised here, not above: an answer that could not be read stays out of the traceback.
        is_written = self.fail(trouble, now=clock(), actor=actor)
        recovery.note([self.heard(trouble)], clock(), tokens=Token.objects)
        if not is_written:
            return False
        raise trouble

    def heard(self, result: TokenGrant | LatchkeyError) -> recovery.Heard:
        return recovery.Heard(self.endpoint, self.instance_id, result)

    def keep(
        self, grant: TokenGrant, *, kind: str = Event.Kind.RENEWED, actor: Any = None, share: float | None = None
    ) -> bool:
        """Write the grant, if the lease is still ours: a slow loser can't overwrite a newer token."""
        return bool(write_back([self.kept(grant, kind=kind, actor=actor, share=share)], tokens=Token))

    def kept(
        self, grant: TokenGrant, *, kind: str = Event.Kind.RENEWED, actor: Any = None, share: float | None = None
    ) -> Outcome:
        """This row with the grant taken over, still to be written."""
        is_reconnected = kind == Event.Kind.RECONNECTED
        mark = fingerprint(grant.access_token)
        # New credentials don't look at the old token.
        is_same = not is_reconnected and not self.is_rejected and self._is_known(grant.access_token, mark)
        self.issued_at = self.issued_at if is_same and self.issued_at else grant.issued_at
        self.expires_at, self.renewed_at = grant.expires_at, grant.issued_at
        self.secrets = {"access_token": grant.access_token, "token_type": grant.token_type, "kept": dict(grant.kept)}
        self.fingerprint = mark
        if grant.dpop_key:
            self.secrets["dpop_key"] = grant.dpop_key
        if grant.steps:
            self.secrets["steps"] = dict(grant.steps)
        self.failures, self.is_rejected = 0, False
        self.refresh_at = self.planned(share)
        columns: tuple[str, ...] = _OF_A_GRANT
        if is_reconnected:
            self.rejections, columns = 0, (*columns, "rejections")
        return self._outcome(columns, Instance.Status.ACTIVE, kind, grant.issued_at, actor=actor)

    def _is_known(self, access_token: str, mark: bytes) -> bool:
        """Whether it is the stored token; not, where that can't be read."""
        if self.fingerprint:
            return bytes(self.fingerprint) == mark
        try:
            return self.bought.access_token == access_token
        except SecretUnreadable:
            return False

    def planned(self, share: float | None = None) -> datetime | None:
        """When the stored token is to be renewed; `share` from 0 to 1 says how much earlier than at the latest."""
        life, method = self.life, self.definition.method
        if life is None:
            return None
        planned = renewal.refresh_at(
            life,
            early=method.definition.refresh.early,
            share=_jitter(share),
            is_same_token=renewal.is_repeated(life, self.renewed_at),
        )
        budget = budget_of(method)
        if planned is None or budget is None or self.renewed_at is None:
            return planned
        return max(planned, self.renewed_at + budget.spacing)

    def fail(self, error: LatchkeyError, *, now: datetime, actor: Any = None, share: float | None = None) -> bool:
        """Write what went wrong and when it is tried again, if the lease is still ours. The token itself stays."""
        return bool(write_back([self.failed(error, now=now, actor=actor, share=share)], tokens=Token))

    def failed(self, error: LatchkeyError, *, now: datetime, actor: Any = None, share: float | None = None) -> Outcome:
        """This row after an error, still to be written."""
        self.failures += 1
        self.refresh_at = renewal.retry_at(error, failures=self.failures, now=now, share=_jitter(share))
        status = Instance.Status.ACTION_REQUIRED if error.permanent else Instance.Status.FAILING
        kind = Event.Kind.ACTION_REQUIRED if error.permanent else Event.Kind.FAILING
        return self._outcome(("failures", "refresh_at", "endpoint"), status, kind, now, error, actor=actor)

    def postpone(self, error: MintBudgetSpent, now: datetime) -> bool:
        """Wait until the budget has room again, at most until the token dies; False where that is trouble already."""
        if self.instance.status != Instance.Status.ACTIVE or not self.will_do(now, 0.0):
            return False
        room_at = now + timedelta(seconds=error.retry_after)
        self.refresh_at = room_at if self.expires_at is None else min(room_at, self.expires_at)
        with transaction.atomic():
            # A person may have paused it meanwhile, and then it is not to be asked for again by itself.
            awake = Instance.objects.select_for_update(no_key=True).order_by().filter(pk=self.pk)
            is_awake = awake.exclude(status=Instance.Status.PAUSED).exists()
            self.write_leased(*(("refresh_at", "endpoint") if is_awake else ()))
        return True

    def stranded(self, error: LatchkeyError, owner: UUID, now: datetime) -> Outcome:
        """This row, whose token died while its endpoint is not asked, with that as its reason; still to be written."""
        self.hold(owner)
        return self._outcome(("failures",), Instance.Status.FAILING, Event.Kind.FAILING, now, error)

    def reject(self, *, now: datetime) -> bool:
        """An API turned the stored token down: it is not served again, and renewed at once. Whether that was heeded.

        The instance must be locked. A token that is rejected over and over is not at fault, and not replaced for ever.
        """
        since, instance = self.rejections_since, self.instance
        is_recent = since is not None and since > now - renewal.REJECTIONS_WITHIN
        if self.is_rejected or (is_recent and self.rejections >= renewal.REJECTIONS_HONOURED):
            return False
        self.is_rejected = True
        self.rejections, self.rejections_since = (self.rejections + 1, since) if is_recent else (1, now)
        if instance.status == Instance.Status.ACTIVE:  # else it waits: for its next attempt, or for a person
            self.refresh_at = now
        self.save(update_fields=_OF_A_REJECTION)
        instance.record(Event.Kind.REJECTED, before=instance.status, at=now)
        return True

    def _outcome(
        self,
        columns: tuple[str, ...],
        status: str,
        kind: str,
        at: datetime,
        error: LatchkeyError | None = None,
        *,
        actor: Any = None,
    ) -> Outcome:
        owner, self._held = self._held, None
        written = {name: getattr(self, name) for name in columns}
        # What could not be asked, or was refused with both secrets, says nothing of the next one; but where the budget
        # had no room for the present one, the next one's refusal is what is known.
        is_known = error is None or (isinstance(error, MintBudgetSpent) and self._tried and self._tried.refusal)
        tried = self._tried if is_known else None
        return Outcome(self.instance, owner, written, status, kind, at, error, actor, tried)


@lru_cache(maxsize=4)
def _due(limit: int) -> tuple[str, int]:
    """The statement that finds what is due, made once: making it takes Django longer than PostgreSQL to answer it.

    And how many times it takes the time as a parameter; it has no others.
    """
    statement, parameters = Token.objects.due(datetime.now(UTC)).values("pk")[:limit].query.sql_with_params()
    return statement, len(parameters)


def _jitter(share: float | None) -> float:
    return random.random() if share is None else share  # noqa: S311 (spreads renewals; nothing depends on its secrecy)
