"""The token that an instance bought.

One renewal: take the lease, `ask` the provider with no transaction open, then `keep` the grant or `fail` with the
error; both write only while the lease is still ours. The schedule and readers share this path.
"""

import random
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import Q

from connectors.definitions import Definition, definition_of
from connectors.fields import EncryptedJSONField
from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable
from connectors.oauth2.exchange import Clock, Send, ask
from connectors.oauth2.request import Bought
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from connectors.oauth2.values import resolve
from tenants import renewal
from tenants.errors import NotConnected, recorded_error
from tenants.locks import one_at_a_time
from tenants.models.event import Event
from tenants.models.instance import Instance
from tenants.models.lease import Leased, Sleep, claim, free

_OF_A_GRANT = ("secrets", "issued_at", "expires_at", "renewed_at", "refresh_at", "failures", "is_rejected")
_TROUBLE = (Instance.Status.FAILING, Instance.Status.ACTION_REQUIRED)


class TokenQuerySet(models.QuerySet["Token"]):
    def due(self, now: datetime) -> Self:
        """Tokens whose time has come and which nobody is renewing, the longest overdue first."""
        return self.filter(free(now), refresh_at__lte=now).order_by("refresh_at")

    def with_definitions(self) -> Self:
        """Everything that asking needs, in one query."""
        return self.select_related("instance__auth_method", "instance__filled_in")

    def claim_due(self, now: datetime, *, owner: UUID, until: datetime, limit: int) -> list[UUID]:
        """Take the leases of up to `limit` due tokens for `owner`."""
        return claim(self.due(now), now, owner=owner, until=until, limit=limit)


class Token(Leased):
    """An instance's token and when it is renewed. There is one for every instance, empty until one is bought."""

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True, related_name="token")
    # {"access_token": …, "token_type": …, "kept": {name: value}}
    secrets = EncryptedJSONField(null=True)
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

    class Meta:
        indexes = (
            models.Index(fields=("refresh_at",), name="token_due", condition=Q(refresh_at__isnull=False)),
            models.Index(fields=("lease_owner",), name="token_lease", condition=Q(lease_owner__isnull=False)),
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

    @property
    def life(self) -> renewal.Life | None:
        return None if self.issued_at is None else renewal.Life(self.issued_at, self.expires_at)

    @property
    def is_repeated(self) -> bool:
        """Whether the provider, when last asked, handed back the same token."""
        return self.issued_at is not None and self.renewed_at is not None and self.renewed_at > self.issued_at

    @property
    def definition(self) -> Definition:
        return definition_of(self.instance.auth_method)

    @property
    def bought(self) -> Bought:
        """The token in the clear."""
        secrets: dict[str, Any] = self.secrets or {}
        return Bought(
            access_token=secrets.get("access_token", ""),
            token_type=secrets.get("token_type", ""),
            expires_at=self.expires_at,
            kept=secrets.get("kept", {}),
        )

    def will_do(self, now: datetime, min_ttl: float | None = None) -> bool:
        """Whether the stored token can be handed to a reader who wants `min_ttl` seconds of it."""
        if self.life is None or self.is_rejected:
            return False
        # A provider that handed back the same token would do so again: it is served until it dies.
        return self.life.will_do(now, 0.0 if min_ttl is None and self.is_repeated else min_ttl)

    def rendering(self, now: datetime) -> Rendering:
        """The values with which requests are made for this instance."""
        definition = self.definition
        given = self.instance.filled_in.values
        return resolve(definition.method, given, definition.operator_values(), now=now, uuid=uuid4())

    def fresh(self, min_ttl: float | None, *, send: Send, clock: Clock, sleep: Sleep) -> None:
        """See to it that the stored token can be handed to a reader: renew it, or wait for who is renewing it.

        However many ask at once, in however many processes, one request is made. Raises `NotConnected` or a
        `TokenError`.
        """
        self.refuse_idle()
        if self.will_do(clock(), min_ttl):
            return
        with one_at_a_time(self.pk):
            self.refresh_from_db()
            while not self.will_do(clock(), min_ttl):
                self._refuse_hopeless(min_ttl, clock())
                if not self.take_in_turn(clock=clock, sleep=sleep, unless=lambda: self.will_do(clock(), min_ttl)):
                    return
                self._renew_unless_done(min_ttl, send=send, clock=clock)

    def _renew_unless_done(self, min_ttl: float | None, *, send: Send, clock: Clock) -> None:
        """The lease is ours; but who had it before may have renewed the token, or found out that it can't be."""
        try:
            self._refuse_hopeless(min_ttl, clock())
            is_done = self.will_do(clock(), min_ttl)
        except LatchkeyError:
            self.give_back()
            raise
        if is_done:
            self.give_back()
        else:
            self.renew(send=send, clock=clock)

    def renew(self, *, send: Send, clock: Clock, kind: str = Event.Kind.RENEWED, actor: Any = None) -> None:
        """Ask and keep, or fail; the lease must be ours. Raises what `ask` raises, once it is written down."""
        try:
            grant = self.ask(send=send, clock=clock)
        except LatchkeyError as error:
            trouble = error
        else:
            self.keep(grant, kind=kind, actor=actor)
            return
        # Raised here, not above: an answer that could not be read stays out of the traceback.
        self.fail(trouble, now=clock(), actor=actor)
        raise trouble

    def ask(self, *, send: Send, clock: Clock) -> TokenGrant:
        """Ask the provider for a token. Raises `ValidationFailed` or a `TokenError`."""
        return ask(self.definition.method, self.rendering(clock()), send=send, clock=clock)

    def keep(
        self, grant: TokenGrant, *, kind: str = Event.Kind.RENEWED, actor: Any = None, share: float | None = None
    ) -> bool:
        """Write the grant, if the lease is still ours: a slow loser can't overwrite a newer token."""
        is_same = bool(self.secrets) and grant.access_token == self.bought.access_token and not self.is_rejected
        self.issued_at = self.issued_at if is_same and self.issued_at else grant.issued_at
        self.expires_at, self.renewed_at = grant.expires_at, grant.issued_at
        self.secrets = {"access_token": grant.access_token, "token_type": grant.token_type, "kept": dict(grant.kept)}
        self.failures, self.is_rejected = 0, False
        self.refresh_at = self.planned(share)
        with transaction.atomic():
            if not self.write_leased(*_OF_A_GRANT):
                return False
            self._settle(Instance.Status.ACTIVE, kind, grant.issued_at, actor=actor)
        return True

    def planned(self, share: float | None = None) -> datetime | None:
        """When the stored token is to be renewed; `share` from 0 to 1 says how much earlier than at the latest."""
        if self.life is None:
            return None
        early = self.definition.method.definition.refresh.early
        return renewal.refresh_at(self.life, early=early, share=_jitter(share), is_same_token=self.is_repeated)

    def fail(self, error: LatchkeyError, *, now: datetime, actor: Any = None, share: float | None = None) -> bool:
        """Write what went wrong and when it is tried again, if the lease is still ours. The token itself stays."""
        self.failures += 1
        self.refresh_at = renewal.retry_at(error, failures=self.failures, now=now, share=_jitter(share))
        status = Instance.Status.ACTION_REQUIRED if error.permanent else Instance.Status.FAILING
        kind = Event.Kind.ACTION_REQUIRED if error.permanent else Event.Kind.FAILING
        with transaction.atomic():
            if not self.write_leased("failures", "refresh_at"):
                return False
            self._settle(status, kind, now, error, actor=actor)
        return True

    def reject(self, *, now: datetime) -> bool:
        """An API turned the stored token down: it is not served again, and renewed at once. Whether that was heeded.

        One that is rejected over and over is not at fault, and is not replaced for ever.
        """
        since = self.rejections_since
        is_recent = since is not None and since > now - renewal.REJECTIONS_WITHIN
        if is_recent and self.rejections >= renewal.REJECTIONS_HONOURED:
            return False
        runs_by_itself = self.instance.status in (Instance.Status.ACTIVE, Instance.Status.FAILING)
        unchanged = type(self).objects.filter(pk=self.pk, renewed_at=self.renewed_at, is_rejected=False)
        return bool(
            unchanged.update(
                is_rejected=True,
                refresh_at=now if runs_by_itself else None,
                rejections=self.rejections + 1 if is_recent else 1,
                rejections_since=since if is_recent else now,
            )
        )

    def refuse_idle(self) -> None:
        """Raise `NotConnected` where no token may be handed out: none was ever bought, or a person paused it."""
        instance = self.instance
        if instance.status == Instance.Status.PAUSED:
            raise NotConnected(f"{instance} is paused.", "A person stopped it.", "Resume it to go on.")
        if instance.status == Instance.Status.PENDING:
            raise NotConnected(
                f"{instance} is not connected yet.", "No token was ever bought.", "Connect it in the wizard or admin."
            )

    def _refuse_hopeless(self, min_ttl: float | None, now: datetime) -> None:
        """Raise, with no request made, what was already found out; but not where the stored token will do."""
        self.refuse_idle()
        if self.will_do(now, min_ttl):
            return
        instance, wait = self.instance, None
        if instance.status == Instance.Status.FAILING and self.refresh_at is not None and self.refresh_at > now:
            wait = (self.refresh_at - now).total_seconds()
        if instance.status == Instance.Status.ACTION_REQUIRED or wait is not None:
            raise recorded_error(instance.status_code, instance.status_reason, retry_after=wait)
        length = self.life.length if self.life else None
        if (
            min_ttl is not None
            and length is not None
            and length < timedelta(seconds=min_ttl)
            and self.will_do(now, 0.0)
        ):
            raise ProviderUnavailable(
                f"No token with {min_ttl:g} seconds to live can be had.",
                f"This provider's tokens live {length.total_seconds():g} seconds in all.",
                "Ask for a smaller min_ttl.",
            )

    def _settle(
        self, status: str, kind: str, now: datetime, error: LatchkeyError | None = None, *, actor: Any = None
    ) -> None:
        """Bring the instance's status in line, and record what happened. A paused instance stays so."""
        instance = Instance.objects.select_for_update(of=("self",)).get(pk=self.pk)
        before = instance.status
        if before == Instance.Status.PAUSED and kind != Event.Kind.RECONNECTED:
            type(self).objects.filter(pk=self.pk).update(refresh_at=None)
            return
        if error is None and kind == Event.Kind.RENEWED and before in _TROUBLE:
            kind = Event.Kind.RECOVERED
        code, reason = (error.code, str(error)) if error else ("", "")
        is_news = error is None or (before, instance.status_code, instance.status_reason) != (status, code, reason)
        for row in (instance, self.instance):
            row.status, row.status_code, row.status_reason = status, code, reason
        instance.save(update_fields=["status", "status_code", "status_reason", "updated_at"])
        if is_news:
            instance.record(kind, before=before, at=now, code=code, message=reason, actor=actor)


def _jitter(share: float | None) -> float:
    return random.random() if share is None else share  # noqa: S311 (spreads renewals; nothing depends on its secrecy)
