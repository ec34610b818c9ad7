"""One tenant's configured use of one authentication method."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, Self
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from connectors.fields import EncryptedJSONField
from connectors.models import AuthMethod, Connector
from connectors.oauth2.errors import LatchkeyError
from tenants.errors import InstanceNotFound, SeveralInstances, removed
from tenants.models.columns import of_row
from tenants.models.driver import rows_of
from tenants.models.event import Event
from tenants.models.readable import Readable
from tenants.models.reading import Reading
from tenants.models.tenant import Tenant
from tenants.stored import Stored

# What is known of an instance where its token is read: not the definition's many sections, which are remembered by
# their revision.
_READ = (
    *("tenant", "connector", "name", "status", "status_code", "status_reason", "updated_at"),
    *("auth_method__connector", "auth_method__revision"),
)

# What is looked at when an instance's status is settled.
_LOCKED = ("id", "tenant_id", "connector_id", "auth_method_id", "name", "status", "status_code", "status_reason")


@cache
def _lock_statement() -> str:
    names = ", ".join(f'"{name}"' for name in _LOCKED)  # columns of ours
    return f'SELECT {names} FROM "{Instance._meta.db_table}" WHERE "id" = ANY(%b) ORDER BY "id" FOR NO KEY UPDATE'  # noqa: S608


class InstanceQuerySet(models.QuerySet["Instance"]):
    def of(self, tenant_key: str) -> Self:
        return self.filter(tenant__key=tenant_key)

    def for_reading(self) -> Self:
        """What a reader needs to know of instances, in one query; anything else is fetched when it is used."""
        related = self.select_related("auth_method").only(*_READ)
        return related.order_by("name", "created_at")

    def for_renewing(self) -> Self:
        """What it takes to renew a token that won't do, in one query."""
        related = self.select_related("auth_method", "token", "filled_in")
        return related.only(*_READ, "token", "filled_in__values")

    def find(self, tenant: str, connector: str, name: str | None = None) -> "Instance":
        """The tenant's instance of a connector, both by key; `name` tells several apart.

        The first `credentials` of what is found uses what was read with it, if it follows at once. Raises
        `InstanceNotFound` or `SeveralInstances`.
        """
        found: Instance | None = _reading().find(tenant, connector, name) if self._is_everything else None
        if found is not None:
            return found
        fitting = self.for_reading().of(tenant).filter(connector__key=connector)
        if name is not None:
            fitting = fitting.filter(name=name)
        called = f"of {connector}" if name is None else f"of {connector} called “{name}”"
        return fitting.the_only_one(f"The tenant {tenant}", called)

    def stored(self, pk: UUID) -> Stored | None:
        """What is stored of one of these and its token; None if there is none."""
        return _reading().stored(pk) if self._is_everything or self.filter(pk=pk).exists() else None

    @property
    def _is_everything(self) -> bool:
        """Whether nobody has narrowed this set down, or asked anything else of it: then no query need be built."""
        query = self.query
        is_narrow = query.where or query.combinator or query.is_sliced or self.db != DEFAULT_DB_ALIAS
        wants_more = query.annotations or query.select_related or query.select_for_update
        return not (is_narrow or wants_more or self._prefetch_related_lookups)  # type: ignore[attr-defined]

    def the_only_one(self, whose: str, called: str) -> "Instance":
        """The one instance in this set. `whose` and `called` make the sentence if there is none, or more than one."""
        found = list(self[:20])
        if len(found) == 1:
            return found[0]
        if not found:
            raise InstanceNotFound(
                f"{whose} has no instance {called}.",
                "It was never connected, or it was removed.",
                "Connect it first. If it is connected, check how the keys are spelt.",
            )
        names = tuple(instance.name for instance in found)
        raise SeveralInstances(
            f"{whose} has several instances {called}.",
            f"They are called {', '.join(f'“{name}”' if name else '“” (no name)' for name in names)}.",
            "Say which one by its name.",
            names=names,
        )

    def lock(self, pk: UUID) -> "Instance":
        """The instance, locked until the transaction ends. Raises `InstanceNotFound` if it was removed.

        Whoever writes to an instance's rows takes this lock first: in any other order two of them could wait for each
        other. New history, which refers to the instance, need not wait for it (hence `no_key`).
        """
        locked = self.select_for_update(no_key=True).order_by().filter(pk=pk).first()
        if locked is None:
            raise removed()
        return locked

    def lock_all(self, pks: Iterable[UUID]) -> "dict[UUID, Instance]":
        """These instances, as far as they exist, locked until the transaction ends: always in the same order."""
        if connection.vendor == "postgresql":
            rows = rows_of(_lock_statement(), [list(pks)])
        else:
            rows = list(self.filter(pk__in=list(pks)).order_by().values_list(*_LOCKED))
        return {row[0]: of_row(Instance, dict(zip(_LOCKED, row, strict=True))) for row in rows}

    def needing_attention(self) -> Self:
        """Instances that no amount of waiting will mend."""
        return self.filter(status=Instance.Status.ACTION_REQUIRED)


class Instance(Readable):
    """One tenant's configured use of one authentication method."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACTIVE = "active", "Active"
        FAILING = "failing", "Failing"
        ACTION_REQUIRED = "action_required", "Action required"
        PAUSED = "paused", "Paused"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="instances")
    # The method's own connector, kept here so that names can be unique within it and reads need one join less.
    connector = models.ForeignKey(Connector, on_delete=models.PROTECT, related_name="instances", editable=False)
    auth_method = models.ForeignKey(AuthMethod, on_delete=models.PROTECT, related_name="instances")
    name = models.CharField(max_length=200, blank=True, help_text="Tells several of one connector apart.")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING.value, editable=False)
    # Why the status is what it is: an error's code, and words for a person without any secret.
    status_code = models.CharField(max_length=64, blank=True, editable=False)
    status_reason = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        ordering = ("connector__name", "name", "created_at")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "connector", "name"),
                name="instance_name_unique",
                violation_error_message="The tenant has an instance of this connector with this name already.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "active", "failing", "action_required", "paused"]),
                name="instance_status_known",
                violation_error_message="There is no such status.",
            ),
        )

    def __str__(self) -> str:
        return self.name or str(self.connector)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("update_fields") is None:
            self.connector_id = self.auth_method.connector_id
        super().save(*args, **kwargs)

    @property
    def reason(self) -> tuple[str, str, str]:
        """The status, and why it is what it is."""
        return self.status, self.status_code, self.status_reason

    def settled(
        self, status: str, kind: str, *, at: datetime, error: LatchkeyError | None = None, actor: Any = None
    ) -> Event | None:
        """Take on the status that an event of this kind brings, with its reason; the event, unless it is trouble known
        already. Both are still to be saved, and the instance must be locked.
        """
        was = self.reason
        code, reason = (error.code, str(error)) if error else ("", "")
        if was == (status, code, reason) and error is not None:
            return None
        self.status, self.status_code, self.status_reason = status, code, reason
        if self.reason != was:
            self.updated_at = timezone.now()
        if kind == Event.Kind.RENEWED and was[0] in (self.Status.FAILING, self.Status.ACTION_REQUIRED):
            kind = Event.Kind.RECOVERED
        return self._event(kind, before=was[0], at=at, code=code, message=reason, actor=actor)

    def record(
        self, kind: str, *, before: str, at: datetime, code: str = "", message: str = "", actor: Any = None
    ) -> None:
        """Write what happened into the instance's history; its status must be the new one already."""
        event = self._event(kind, before=before, at=at, code=code, message=message, actor=actor)
        with transaction.atomic():
            Event.objects.note([event])

    def _event(self, kind: str, *, before: str, at: datetime, code: str, message: str, actor: Any) -> Event:
        written: dict[str, Any] = {
            "id": None,
            "instance_id": self.pk,
            "at": at,
            "kind": kind,
            "status_before": before,
            "status_after": self.status,
            "code": code,
            "message": message,
            "actor_id": None if actor is None else actor.pk,
        }
        return of_row(Event, written, beside={"instance": self}, is_new=True)

    def event(self, kind: str, *, at: datetime, message: str, actor: Any = None) -> Event:
        """Something that changes no status; still to be saved."""
        return self._event(kind, before=self.status, at=at, code="", message=message, actor=actor)


@cache
def _reading() -> Reading:
    return Reading(Instance)


class InstanceValues(models.Model):
    """What a tenant's user or a backend filled in for an instance: fetched only where it is used."""

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True, related_name="filled_in")
    values = EncryptedJSONField(default=dict)
    # When each value was last set, by variable key: a form says of a secret that it is set, and since when.
    set_at = models.JSONField(default=dict)
    # When the secret among them runs out, where somebody said so; and for how many days ahead it was warned of.
    secret_expires_at = models.DateTimeField(null=True)
    warned_days = models.PositiveSmallIntegerField(null=True)

    class Meta:
        verbose_name_plural = "instance values"
        indexes = (
            models.Index(
                fields=("secret_expires_at",), name="secret_expiring", condition=Q(secret_expires_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"values of {self.instance_id}"
