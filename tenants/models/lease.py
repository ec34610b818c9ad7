"""A lease on a row: whoever holds it may act for the row, and loses it by itself when its time is over."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, models
from django.db.models import Q

from connectors.oauth2.errors import ProviderUnavailable
from connectors.oauth2.exchange import Clock
from tenants.models.driver import rows_of

Sleep = Callable[[float], None]

# Beyond the deadline of an exchange, in seconds: for the database, and for machines whose clocks differ. Where
# exchanges are short so is the margin: it is what others wait when a worker dies.
MARGIN_LEAST, MARGIN_MOST = 5.0, 15.0


def lease_length(exchanges: int = 1) -> timedelta:
    """A lease outlives what is done under it: so many exchanges, one after another."""
    longest = float(settings.OUTBOUND_TIMEOUT)
    return timedelta(seconds=exchanges * longest + min(max(longest, MARGIN_LEAST), MARGIN_MOST))


def waiting(*, clock: Clock, sleep: Sleep) -> Iterator[None]:
    """Wait a little longer at each step. Raises `ProviderUnavailable` after twice a lease's length."""
    patience = clock() + 2 * lease_length()
    pause = 0.02
    while clock() <= patience:
        sleep(pause)
        pause = min(pause * 1.5, 0.5)
        yield
    raise ProviderUnavailable(
        "The token is being renewed elsewhere, and that takes too long.",
        remedy="Try again in a minute.",
        retry_after=lease_length().total_seconds(),
    )


def free(now: datetime) -> Q:
    """Rows that nobody holds."""
    return Q(lease_until=None) | Q(lease_until__lte=now)


class Leased(models.Model):
    """A row that one worker at a time may act for."""

    lease_owner = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    # Under which lease this object acts. Not `lease_owner`: what is read from the row may be another's.
    _held: UUID | None = None

    def take(self, now: datetime, exchanges: int = 1) -> bool:
        """Take the lease, if nobody holds it. What this object says of the row is then as fresh as the lease."""
        owner, until = uuid4(), now + lease_length(exchanges)
        rows = type(self)._default_manager.filter(free(now), pk=self.pk)
        if not rows.update(lease_owner=owner, lease_until=until):
            return False
        self.hold(owner)
        self.refresh_from_db()
        return True

    def hold(self, owner: UUID) -> None:
        """Act under a lease that was taken already, as `claim` does."""
        self._held = owner

    def take_in_turn(self, *, clock: Clock, sleep: Sleep, unless: Callable[[], bool] = lambda: False) -> bool:
        """Take the lease, waiting for whoever holds it. False: waiting ended because `unless` held.

        Raises `ProviderUnavailable` if it can't be had in twice a lease's length.
        """
        turns = waiting(clock=clock, sleep=sleep)
        while not self.take(clock()):
            next(turns)
            self.refresh_from_db()
            if unless():
                return False
        return True

    def give_back(self) -> None:
        """End the lease with nothing done; nothing happens where it has ended already."""
        self.write_leased()

    def write_leased(self, *columns: str) -> bool:
        """Write these columns and end the lease, if it is still ours (fencing); whether it was."""
        owner, self._held = self._held, None
        if owner is None:
            return False
        ours = type(self)._default_manager.filter(pk=self.pk, lease_owner=owner)
        values = {name: getattr(self, name) for name in columns}
        written = ours.update(**values, lease_owner=None, lease_until=None)
        self.lease_owner = self.lease_until = None
        return bool(written)


@dataclass(frozen=True)
class Ends:
    """When leases end that are taken together: the more there are, the longer some of them wait for their turn."""

    times: Sequence[datetime]  # of those that take one turn, two turns, …
    each: int  # leases a turn

    @classmethod
    def at(cls, moment: datetime) -> Self:
        """All of them then."""
        return cls((moment,), each=1_000_000)

    def of(self, count: int) -> datetime:
        """When so many end."""
        return self.times[(count - 1) // self.each]


def claim(rows: "models.QuerySet[Any]", now: datetime, *, owner: UUID, ends: Ends, limit: int) -> list[UUID]:
    """Take the leases of up to `limit` of `rows` for `owner`, in their order. Others' claims are stepped over."""
    waiting = rows.filter(free(now))
    if connection.features.has_select_for_update_skip_locked:
        found, parameters = waiting.values("pk")[:limit].query.sql_with_params()
        return claim_found(rows.model, found, parameters, owner=owner, ends=ends)
    count = waiting.order_by()[:limit].count()
    if not count:
        return []
    everything = rows.model._default_manager.all()
    # One statement: SQLite has one writer at a time, so nobody comes in between.
    everything.filter(pk__in=waiting.values("pk")[:count]).update(lease_owner=owner, lease_until=ends.of(count))
    return list(everything.filter(lease_owner=owner).values_list("pk", flat=True))


def claim_found(
    model: type[models.Model], found: str, parameters: Sequence[Any], *, owner: UUID, ends: Ends
) -> list[UUID]:
    """As `claim`, of what the statement `found` finds, in one round trip.

    That is worked out first and once: a subquery in WHERE could be run for each row.
    """
    quoted = connection.ops.quote_name
    meta: Any = model._meta
    table, key = quoted(meta.db_table), quoted(meta.pk.column)
    owner_column, until_column = (quoted(meta.get_field(name).column) for name in ("lease_owner", "lease_until"))
    turns = f"(SELECT ((count(*) + {ends.each - 1}) / {ends.each})::int FROM found)"  # noqa: S608 (numbers of ours)
    # Every name in it is a column's of ours; the values are parameters.
    statement = (
        f"WITH found (key) AS MATERIALIZED ({found} FOR UPDATE OF {table} SKIP LOCKED) "  # noqa: S608
        f"UPDATE {table} SET {owner_column} = %s, {until_column} = (%b::timestamptz[])[{turns}] "
        f"FROM found WHERE {table}.{key} = found.key RETURNING {table}.{key}"
    )
    return [pk for (pk,) in rows_of(statement, [*parameters, owner, list(ends.times)])]
