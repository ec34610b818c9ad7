"""The token that an instance bought, and the lease under which it is renewed.

One renewal: `take` the lease, `ask` the provider with no transaction open, then `keep` the grant or `fail` with the
error; both write only while the lease is still ours. The schedule and readers share this path.
"""

import random
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q

from connectors.definitions import Definition, definition_of
from connectors.fields import EncryptedJSONField
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.exchange import Clock, Send, ask
from connectors.oauth2.request import Bought
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from connectors.oauth2.values import resolve
from tenants import renewal
from tenants.models.event import Event
from tenants.models.instance import Instance

# Beyond the deadline of an exchange: for everything around it.
LEASE_MARGIN = timedelta(seconds=15)


def lease_length() -> timedelta:
    """A lease outlives the exchange that is made under it."""
    return timedelta(seconds=settings.OUTBOUND_TIMEOUT) + LEASE_MARGIN


class TokenQuerySet(models.QuerySet["Token"]):
    def free(self, now: datetime) -> Self:
        """Tokens that nobody is renewing."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lte=now))

    def due(self, now: datetime) -> Self:
        """Tokens whose time has come, the longest overdue first."""
        return self.free(now).filter(refresh_at__lte=now).order_by("refresh_at")

    def with_definitions(self) -> Self:
        """Everything that asking needs, in one query."""
        return self.select_related("instance__auth_method", "instance__filled_in")

    def claim_due(self, now: datetime, *, owner: UUID, until: datetime, limit: int) -> list[UUID]:
        """Take the leases of up to `limit` due tokens for `owner`; others' claims are stepped over."""
        if connection.features.has_select_for_update_skip_locked:
            with transaction.atomic():
                claimed = list(self.due(now).select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
                self.filter(pk__in=claimed).update(lease_owner=owner, lease_until=until)
            return claimed
        # One statement: SQLite has one writer at a time, so nobody comes in between.
        due = self.due(now).values("pk")[:limit]
        self.free(now).filter(pk__in=due).update(lease_owner=owner, lease_until=until)
        return list(self.filter(lease_owner=owner).values_list("pk", flat=True))


class Token(models.Model):
    """An instance's token and when it is renewed. There is one for every instance, empty until one is bought."""

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True, related_name="token")
    # {"access_token": …, "token_type": …, "kept": {name: value}}
    secrets = EncryptedJSONField(null=True)
    issued_at = models.DateTimeField(null=True)
    # None, where there is a token: it is kept until an API refuses it.
    expires_at = models.DateTimeField(null=True)
    # When the provider was last asked with success; later than `issued_at` if it handed back the same token.
    renewed_at = models.DateTimeField(null=True)
    # When it is next asked for; None: not by itself.
    refresh_at = models.DateTimeField(null=True)
    # Failures in a row since the last success: backoff grows with it.
    failures = models.PositiveIntegerField(default=0)
    # An API turned this token down; and how often that happened lately, since when.
    is_rejected = models.BooleanField(default=False)
    rejections = models.PositiveIntegerField(default=0)
    rejections_since = models.DateTimeField(null=True)
    lease_owner = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

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
        """Whether the stored token can be handed to a reader."""
        if self.life is None or self.is_rejected:
            return False
        # A provider that handed back the same token would do so again: it is served until it dies.
        return self.life.will_do(now, 0.0 if min_ttl is None and self.is_repeated else min_ttl)

    def rendering(self, now: datetime) -> Rendering:
        """The values with which requests are made for this instance."""
        definition = self.definition
        given = self.instance.filled_in.values
        return resolve(definition.method, given, definition.operator_values(), now=now, uuid=uuid4())

    def take(self, now: datetime) -> bool:
        """Take the lease, if nobody holds it. What this object says of the row is then as fresh as the lease."""
        owner, until = uuid4(), now + lease_length()
        taken = type(self).objects.free(now).filter(pk=self.pk).update(lease_owner=owner, lease_until=until)
        if taken:
            self.refresh_from_db()
        return bool(taken)

    def ask(self, *, send: Send, clock: Clock) -> TokenGrant:
        """Ask the provider for a token. Raises `LatchkeyError`; touches no database but for values not loaded yet."""
        return ask(self.definition.method, self.rendering(clock()), send=send, clock=clock)

    def keep(self, grant: TokenGrant, *, kind: str = Event.Kind.RENEWED, share: float | None = None) -> bool:
        """Write the grant, if the lease is still ours: a slow loser can't overwrite a newer token."""
        is_same = bool(self.secrets) and grant.access_token == self.bought.access_token and not self.is_rejected
        issued_at = self.issued_at if is_same and self.issued_at else grant.issued_at
        self.refresh_at = renewal.refresh_at(
            renewal.Life(issued_at, grant.expires_at),
            early=self.definition.method.definition.refresh.early,
            share=random.random() if share is None else share,  # noqa: S311 (jitter)
            is_same_token=is_same,
        )
        self.secrets = {
            "access_token": grant.access_token,
            "token_type": grant.token_type,
            "kept": dict(grant.kept),
        }
        self.issued_at, self.expires_at, self.renewed_at = issued_at, grant.expires_at, grant.issued_at
        self.failures, self.is_rejected = 0, False
        with transaction.atomic():
            if not self._write():
                return False
            self._settle(Instance.Status.ACTIVE, kind, grant.issued_at)
        return True

    def fail(self, error: LatchkeyError, *, now: datetime, share: float | None = None) -> bool:
        """Write what went wrong and when it is tried again, if the lease is still ours. The token itself stays."""
        self.failures += 1
        self.refresh_at = renewal.retry_at(
            error,
            failures=self.failures,
            now=now,
            share=random.random() if share is None else share,  # noqa: S311 (jitter)
        )
        status = Instance.Status.ACTION_REQUIRED if error.permanent else Instance.Status.FAILING
        kind = Event.Kind.ACTION_REQUIRED if error.permanent else Event.Kind.FAILING
        with transaction.atomic():
            if not self._write():
                return False
            self._settle(status, kind, now, error)
        return True

    def give_back(self) -> None:
        """End the lease with nothing done."""
        type(self).objects.filter(pk=self.pk, lease_owner=self.lease_owner).update(lease_owner=None, lease_until=None)

    def reject(self, *, now: datetime) -> bool:
        """An API turned the stored token down: it is not served again, and renewed at once. Whether that was heeded.

        One that is rejected over and over is not at fault, and is not replaced for ever.
        """
        window = now - renewal.REJECTIONS_WITHIN
        is_recent = self.rejections_since is not None and self.rejections_since > window
        if is_recent and self.rejections >= renewal.REJECTIONS_HONOURED:
            return False
        ciphertext_unchanged = Q(renewed_at=self.renewed_at, is_rejected=False)
        runs_by_itself = self.instance.status in (Instance.Status.ACTIVE, Instance.Status.FAILING)
        return bool(
            type(self)
            .objects.filter(ciphertext_unchanged, pk=self.pk)
            .update(
                is_rejected=True,
                refresh_at=now if runs_by_itself else None,
                rejections=self.rejections + 1 if is_recent else 1,
                rejections_since=self.rejections_since if is_recent else now,
            )
        )

    def _write(self) -> bool:
        """Write everything and end the lease, if it is still ours."""
        columns = (
            "secrets issued_at expires_at renewed_at refresh_at failures is_rejected rejections rejections_since".split()
        )
        ours = type(self).objects.filter(pk=self.pk, lease_owner=self.lease_owner)
        written = ours.update(**{name: getattr(self, name) for name in columns}, lease_owner=None, lease_until=None)
        self.lease_owner = self.lease_until = None
        return bool(written)

    def _settle(self, status: str, kind: str, now: datetime, error: LatchkeyError | None = None) -> None:
        """Bring the instance's status in line, and record what happened. A paused instance stays so."""
        instance = Instance.objects.select_for_update(of=("self",)).get(pk=self.pk)
        before = instance.status
        if before == Instance.Status.PAUSED:
            type(self).objects.filter(pk=self.pk).update(refresh_at=None)
            status = before
        if error is None and kind == Event.Kind.RENEWED and before in _TROUBLE:
            kind = Event.Kind.RECOVERED
        code, reason = (error.code, str(error)) if error else ("", "")
        is_news = error is None or (before, instance.status_code, instance.status_reason) != (status, code, reason)
        self.instance.status = instance.status = status
        self.instance.status_code = instance.status_code = code
        self.instance.status_reason = instance.status_reason = reason
        instance.save(update_fields=["status", "status_code", "status_reason", "updated_at"])
        if is_news:
            instance.record(kind, before=before, at=now, code=code, message=reason)


_TROUBLE = (Instance.Status.FAILING, Instance.Status.ACTION_REQUIRED)
