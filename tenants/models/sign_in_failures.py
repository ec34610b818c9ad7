"""Sign-ins that failed, counted so that passwords can't be tried one after another."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

# Without another failure for so long, everything is forgotten; nobody waits longer either.
FORGOTTEN_AFTER = timedelta(minutes=15)
_FIRST_WAIT = timedelta(seconds=30)


class SignInFailuresQuerySet(models.QuerySet["SignInFailures"]):
    def wait(self, limits: dict[str, int], now: datetime) -> timedelta:
        """For how long nobody may try, by the subjects' limits: twice as long after each further failure."""
        rows = self.filter(subject__in=limits, last_at__gt=now - FORGOTTEN_AFTER)
        waits = [row.wait(limits[row.subject], now) for row in rows]
        return max(waits, default=timedelta())

    def note(self, subjects: Iterable[str], now: datetime) -> None:
        """Count one more for each."""
        for subject in sorted(subjects):  # always in one order: two of them could wait for each other otherwise
            self.get_or_create(subject=subject, defaults={"last_at": now})
            self.filter(subject=subject, last_at__lte=now - FORGOTTEN_AFTER).update(count=0)
            self.filter(subject=subject).update(count=F("count") + 1, last_at=now)

    def take_back(self, subjects: Iterable[str]) -> None:
        """The sign-in that was counted last did not fail."""
        for subject in sorted(subjects):
            self.filter(subject=subject, count__gt=0).update(count=F("count") - 1)

    def prune(self, now: datetime) -> None:
        self.filter(last_at__lte=now - FORGOTTEN_AFTER).delete()


class SignInFailures(models.Model):
    """How often signing in failed lately for one subject: a user name, an address, or both together."""

    # A keyed hash: people type passwords where the user name belongs.
    subject = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)

    objects = SignInFailuresQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sign-in failures"
        constraints = (
            models.CheckConstraint(
                condition=Q(count__gte=0),
                name="sign_in_failures_counted",
                violation_error_message="A count can't be negative.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.count} failures"

    def wait(self, limit: int, now: datetime) -> timedelta:
        """For how long nobody may try, if so many failures are allowed."""
        if self.count < limit:
            return timedelta()
        # Doubled ten times it is long over the longest.
        wait: timedelta = min(_FIRST_WAIT * 2 ** min(self.count - limit, 10), FORGOTTEN_AFTER)
        return max(self.last_at + wait - now, timedelta())
