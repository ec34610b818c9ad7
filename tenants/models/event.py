"""What happened to an instance."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db import connection, models

from tenants.models import driver
from tenants.models.notice import Notice, notice_of, type_of
from tenants.models.unnested import Source, source


class EventQuerySet(models.QuerySet["Event"]):
    def note(self, events: Sequence["Event"], **more: Any) -> None:
        """Write these into their instances' histories, and down what others are to be told of: two statements at most.

        `more` is told besides. Needs a transaction.
        """
        self._write_down(events)
        told = [(event, type_of(event.kind, event.status_before, event.status_after)) for event in events]
        notices = [_notice(event, type, more) for event, type in told if type]
        if notices:
            Notice.objects.bulk_create(notices)

    def _write_down(self, events: Sequence["Event"]) -> None:
        """As bulk_create() does, on PostgreSQL at a fraction of its cost: most events of a batch differ in little."""
        if connection.vendor != "postgresql" or not events:
            self.bulk_create(events)
            return
        fields = [one for one in self.model._meta.concrete_fields if not one.primary_key]
        rows = map(attrgetter(*(one.attname for one in fields)), events)
        values, parameters = source(fields, [list(column) for column in zip(*rows, strict=True)])
        driver.execute(_statement(values), parameters)


@lru_cache(maxsize=32)
def _statement(values: Source) -> str:
    quoted = connection.ops.quote_name
    table, names = values.fields[0].model._meta.db_table, ", ".join(quoted(field.column) for field in values.fields)
    # Every name in it is a column's of ours; the values are parameters.
    return f"INSERT INTO {quoted(table)} ({names}) SELECT {', '.join(values.expressions)} FROM {values.table}"  # noqa: S608


class Event(models.Model):
    """Something that happened to an instance, in words that hold no secret."""

    class Kind(models.TextChoices):
        CONNECTED = "connected", "Connected"
        RECONNECTED = "reconnected", "Reconnected"
        RENEWED = "renewed", "Token renewed"
        FAILING = "failing", "Renewal failed"
        ACTION_REQUIRED = "action_required", "Action required"
        RECOVERED = "recovered", "Recovered"
        REJECTED = "rejected", "Token rejected by an API"
        CHECKED = "checked", "Checked"
        CHANGED = "changed", "Changed"
        PAUSED = "paused", "Paused"
        RESUMED = "resumed", "Resumed"
        SECRET_EXPIRING = "secret_expiring", "Secret expires soon"

    # No index of its own: the one below begins with it, and every renewal writes to each.
    instance = models.ForeignKey("tenants.Instance", on_delete=models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=32, choices=Kind)
    # Equal unless the event changed the status.
    status_before = models.CharField(max_length=16)
    status_after = models.CharField(max_length=16)
    # An error's code where there was one, such as credentials_refused.
    code = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True)
    # Who did it; nobody where the platform did it by itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(fields=("instance", "-at", "-id"), name="event_of_instance"),
            # For pruning. Not BRIN: new rows fill the pages that pruning freed, and then every range holds all times.
            models.Index(fields=("at",), name="event_at"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.at:%Y-%m-%d %H:%M:%S}"


def _notice(event: Event, type: str, more: Mapping[str, Any]) -> Notice:
    notice = notice_of(event.instance, type, at=event.at)
    notice.status_before, notice.status = event.status_before, event.status_after
    notice.code, notice.detail, notice.more = event.code, event.message, dict(more)
    return notice
