"""Token endpoints in trouble: what one instance met there holds for all of them.

An endpoint is closed after several instances in a row met its trouble, or when it asks to be left alone (Retry-After).
From then on nobody asks it but one probe at a time, with growing pauses. The first answer opens it again, and whoever
waited is renewed in a paced order, those first whose tokens die first.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID, uuid4

from django.db import models, transaction

from connectors.oauth2.errors import LatchkeyError, MintBudgetSpent, ProviderUnavailable, ValidationFailed
from connectors.oauth2.response import TokenGrant
from tenants import renewal
from tenants.models.lease import lease_length

Result = TokenGrant | LatchkeyError


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def closed(self) -> Self:
        return self.filter(is_closed=True)

    def to_probe(self, now: datetime) -> Self:
        """Closed ones that may be asked once, to see whether they are back."""
        return self.closed().filter(retry_at__lte=now)


class Endpoint(models.Model):
    """A token endpoint in trouble. There is no row for one that is well."""

    # Scheme, host and port of the token URL.
    origin = models.CharField(max_length=300, primary_key=True)
    since = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    # The instance that met the trouble first: one alone may be at fault itself.
    witness = models.UUIDField()
    is_closed = models.BooleanField(default=False)
    # Probes in a row that found it still in trouble: the pauses between them grow.
    probes = models.PositiveIntegerField(default=0)
    # When it may be asked again. A probe moves it on, so that nobody else asks meanwhile.
    retry_at = models.DateTimeField(null=True)
    # Until when it wishes to be left alone (Retry-After).
    alone_until = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(is_closed=False) | models.Q(retry_at__isnull=False),
                name="endpoint_closed_until",
                violation_error_message="A closed endpoint is asked again some time.",
            ),
        )

    def __str__(self) -> str:
        return self.origin

    def take_probe(self, now: datetime) -> bool:
        """Whether the caller may ask it once; if they never come back, so may another a lease's length later."""
        rows = type(self).objects.to_probe(now).filter(pk=self.pk)
        return bool(rows.update(retry_at=now + lease_length()))

    def meet(self, met: list[tuple[UUID, LatchkeyError]], now: datetime) -> None:
        """Take in trouble that instances met at the same time; still to be saved."""
        self.failures += len(met)
        self.probes += self.is_closed
        wishes = [error.retry_after for _, error in met if isinstance(error, ProviderUnavailable) and error.retry_after]
        if wishes:
            self.alone_until = max(filter(None, (self.alone_until, now + timedelta(seconds=max(wishes)))))
        are_several = any(instance != self.witness for instance, _ in met)
        if self.is_closed or wishes or (self.failures >= renewal.CLOSED_AFTER and are_several):
            # Our own words alone: what the provider said to one tenant's client is not for the others to read.
            self.is_closed, self.reason = True, met[-1][1].why
            self.retry_at = max(filter(None, (self.alone_until, now + renewal.probe_after(self.probes))))

    def trouble(self, now: datetime) -> ProviderUnavailable:
        """What a reader is told without a request."""
        wait = max((self.retry_at - now).total_seconds(), 1.0) if self.retry_at else None
        return ProviderUnavailable(
            f"{self.origin} has been in trouble since {self.since:%H:%M:%S} UTC, and is not asked for tokens just now.",
            self.reason,
            "It is probed by itself, and renewal goes on as soon as it answers.",
            retry_after=wait,
        )


def refuse_closed(origin: str, now: datetime) -> None:
    """Raise `ProviderUnavailable` where an endpoint is not to be asked now, unless the caller may be its probe."""
    endpoint = Endpoint.objects.closed().filter(pk=origin).first() if origin else None
    if endpoint is not None and not endpoint.take_probe(now):
        raise endpoint.trouble(now)


def refuse_unwelcome(origin: str, now: datetime) -> None:
    """Raise `ProviderUnavailable` where an endpoint wishes to be left alone, which holds for people too."""
    endpoint = Endpoint.objects.filter(pk=origin, alone_until__gt=now).first() if origin else None
    if endpoint is not None:
        raise endpoint.trouble(now)


def is_trouble(result: Result) -> bool:
    """Whether it says that the endpoint itself, not this client, is in trouble or wants to be left alone."""
    return isinstance(result, ProviderUnavailable) and (result.is_endpoints or bool(result.retry_after))


def is_answer(result: Result) -> bool:
    """Whether the endpoint answered as one does that is well, be it with a refusal."""
    never_asked = isinstance(result, ValidationFailed | MintBudgetSpent)
    return not never_asked and not isinstance(result, ProviderUnavailable)


def note_trouble(origin: str, met: Iterable[tuple[UUID, LatchkeyError]], now: datetime) -> None:
    """Write down the trouble that these instances met at an endpoint, and close it if that is enough."""
    met = [(instance, error) for instance, error in met if is_trouble(error)]
    if not met or not origin:
        return
    with transaction.atomic():
        Endpoint.objects.get_or_create(pk=origin, defaults={"since": now, "witness": met[0][0]})
        endpoint = Endpoint.objects.select_for_update().get(pk=origin)
        endpoint.meet(met, now)
        endpoint.save(update_fields=["failures", "is_closed", "probes", "retry_at", "alone_until", "reason"])


def note_wish(origin: str, answer: Result, now: datetime, *, instance: UUID | None = None) -> None:
    """Write down that an endpoint wishes to be left alone (Retry-After), if it said so to a person who connects."""
    if isinstance(answer, ProviderUnavailable) and answer.retry_after:
        note_trouble(origin, [(instance or uuid4(), answer)], now)


def forget_trouble(origin: str, now: datetime) -> bool:
    """An endpoint answered: it is well again. Whether it had been closed, and is not any more.

    What it answers to requests from before it asked to be left alone says nothing against that.
    """
    rows = Endpoint.objects.filter(pk=origin).exclude(alone_until__gt=now)
    closed = rows.values_list("is_closed", flat=True).first()
    if closed is None:
        return False
    return bool(rows.delete()[0]) and closed
