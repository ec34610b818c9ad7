"""Which tokens are due, claimed and renewed in batches."""

import logging
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from django.db import DatabaseError

from connectors import transport
from connectors.encryption import SecretUnreadable
from connectors.oauth2.errors import CredentialsRefused, LatchkeyError, ProviderUnavailable
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.method import Method
from connectors.oauth2.templates import Rendering
from tenants import database_time
from tenants.asked import ask
from tenants.models import recovery
from tenants.models.endpoint import Endpoint, Result
from tenants.models.instance import Instance
from tenants.models.lease import claim, lease_length
from tenants.models.outcome import Outcome, write_back
from tenants.models.token import Token
from tenants.threads import Crew

logger = logging.getLogger(__name__)

# Larger chunks share their statements among more; but they hold their leases longer when a worker dies.
CHUNK = 200
THREADS = 50
WRITE_EVERY = 0.5  # seconds that a result waits for others, to be written together with them


@dataclass
class Tally:
    """What came of a batch."""

    claimed: int = 0
    renewed: int = 0
    failed: int = 0
    lost: int = 0  # the lease had passed to another when the answer came
    spared: int = 0  # not asked for after all: the endpoint wished to be left alone meanwhile


def chunks_due(clock: Clock = database_time.now, *, most: int = 200) -> int:
    """How many chunks are due now, at most `most`."""
    now = clock()
    closed = Endpoint.objects.closed().values("origin")
    due = Token.objects.due(now).exclude(endpoint__in=closed).order_by()[: most * CHUNK].count()
    return -(-due // CHUNK) or int(Endpoint.objects.to_probe(now).exists())


def renew_chunk(*, send: Send = transport.send, clock: Clock = database_time.now, threads: int = THREADS) -> Tally:
    """Claim up to a chunk of due tokens and renew them, several at a time.

    Of an endpoint that is closed at most one is asked for, to see whether it is back. Only the caller's thread uses
    the database.
    """
    owner, now = uuid4(), clock()
    troubled = list(Endpoint.objects.all())
    claimed = _claimed(owner, now, [endpoint for endpoint in troubled if endpoint.is_closed], threads)
    batch = Batch(Tally(claimed=len(claimed)), clock, {endpoint.origin for endpoint in troubled})
    crew: Crew[tuple[Token, Result | None]] = Crew(threads)
    # Endpoints that wished to be left alone in the course of this chunk: what still waits for a thread heeds that.
    unwilling: set[str] = set()

    def ask_for(token: Token, method: Method, rendering: Rendering) -> tuple[Token, Result | None]:
        if token.endpoint in unwilling:
            return token, None
        result = _ask(method, rendering, send, clock)
        if token.endpoint and isinstance(result, ProviderUnavailable) and result.retry_after:
            unwilling.add(token.endpoint)
        return token, result

    for token in _readable(claimed, owner, batch):
        token.hold(owner)
        prepared = _prepared(token, clock)
        if isinstance(prepared, LatchkeyError):
            batch.add(token, prepared)
        else:
            crew.give(partial(ask_for, token, *prepared))
    while crew.is_busy:
        for token, result in crew.results(WRITE_EVERY):
            if result is None:
                token.give_back()  # still due, as soon as its endpoint is asked again
                batch.tally.spared += 1
                continue
            again = _fallen_back(token, result, clock)
            if isinstance(again, tuple):
                crew.give(partial(ask_for, token, *again))
            else:
                batch.add(token, again or result)
        batch.write()
    batch.write()
    for endpoint in troubled:
        if endpoint.is_closed:
            _say_what_they_wait_for(endpoint, clock)
    return batch.tally


def _claimed(owner: UUID, now: datetime, closed: Sequence[Endpoint], threads: int) -> list[UUID]:
    """The tokens whose leases were taken: what is due, and a probe for each closed endpoint whose time has come."""
    waiting = Token.objects.due(now).exclude(endpoint__in=[endpoint.origin for endpoint in closed])

    # Requests wait for a thread, and a lease outlasts the waiting. No more than is due is reckoned with: when a worker
    # dies, others wait for its leases.
    def until(count: int) -> datetime:
        return now + lease_length(exchanges=max(1, -(-count // threads)))

    claimed = waiting.claim_due(now, owner=owner, until=until, limit=CHUNK)
    for endpoint in closed:
        if endpoint.retry_at and endpoint.retry_at <= now and endpoint.take_probe(now):
            probes = Token.objects.stranded(endpoint.origin, now).filter(refresh_at__lte=now)
            claimed += claim(probes, now, owner=owner, until=until, limit=1)
    return list(dict.fromkeys(claimed))


def _say_what_they_wait_for(endpoint: Endpoint, clock: Clock) -> None:
    """Instances whose tokens died while their endpoint is closed are failing, though nobody asked for them."""
    owner, now = uuid4(), clock()
    dead = Token.objects.stranded(endpoint.origin, now).filter(
        refresh_at__lte=now, expires_at__lte=now, instance__status=Instance.Status.ACTIVE
    )
    claimed = claim(dead, now, owner=owner, until=lambda _: now + lease_length(), limit=CHUNK)
    tokens = Token.objects.with_methods().defer("secrets").filter(pk__in=claimed)
    write_back([token.stranded(endpoint.trouble(now), owner, now) for token in tokens], tokens=Token)


class Batch:
    """Outcomes on their way into the database: few statements for many, but none kept waiting for a slow provider."""

    def __init__(self, tally: Tally, clock: Clock, in_trouble: Collection[str]) -> None:
        self.tally = tally
        self._clock = clock
        self._in_trouble = in_trouble
        self._outcomes: list[Outcome] = []
        self._heard: list[recovery.Heard] = []

    def add(self, token: Token, result: Result) -> None:
        self._heard.append(token.heard(result))
        self._outcomes.append(
            token.failed(result, now=self._clock()) if isinstance(result, LatchkeyError) else token.kept(result)
        )

    def write(self) -> None:
        """Write what was added since the last time."""
        outcomes, self._outcomes = self._outcomes, []
        try:
            written = write_back(outcomes, tokens=Token)
        except DatabaseError:
            # One of them may be at fault: the others' results are still to be written.
            written = set().union(*(_written_alone(outcome) for outcome in outcomes))
        for outcome in outcomes:
            counted = outcome.instance.pk in written
            self.tally.lost += not counted
            self.tally.failed += counted and outcome.error is not None
            self.tally.renewed += counted and outcome.error is None
        heard, self._heard = self._heard, []
        recovery.note(heard, self._clock(), tokens=Token.objects, in_trouble=self._in_trouble)


def _written_alone(outcome: Outcome) -> set[UUID]:
    try:
        return write_back([outcome], tokens=Token)
    except DatabaseError as error:
        # This one is asked for again when its lease has run out.
        logger.error("A renewed token could not be stored: %s at %s", type(error).__name__, _place(error))
        return set()


def _readable(claimed: list[UUID], owner: UUID, batch: Batch) -> list[Token]:
    """The claimed tokens; one whose secrets can't be decrypted fails by itself and spoils no other."""
    try:
        return list(Token.objects.with_definitions().filter(lease_owner=owner)) if claimed else []
    except SecretUnreadable:
        return [token for pk in claimed for token in _one_readable(pk, owner, batch)]


def _one_readable(pk: UUID, owner: UUID, batch: Batch) -> list[Token]:
    try:
        return list(Token.objects.with_definitions().filter(pk=pk))
    except SecretUnreadable as error:
        trouble = error
    for token in Token.objects.with_methods().defer("secrets").filter(pk=pk):
        token.hold(owner)
        batch.add(token, trouble)
    return []


def _prepared(token: Token, clock: Clock) -> tuple[Method, Rendering] | LatchkeyError:
    """What asking takes, read from the database."""
    try:
        return token.prepare(clock())
    except LatchkeyError as error:
        return error
    except Exception as error:
        return _unforeseen(error)


def _fallen_back(token: Token, result: Result, clock: Clock) -> tuple[Method, Rendering] | LatchkeyError | None:
    """What asking with the present secret takes, if it was the next one that was refused; None if it was not."""
    if not isinstance(result, CredentialsRefused):
        return None
    try:
        return token.fall_back(result, clock())
    except LatchkeyError as error:
        return error


def _ask(method: Method, rendering: Rendering, send: Send, clock: Clock) -> Result:
    try:
        return ask(method, rendering, send=send, clock=clock)
    except LatchkeyError as error:
        return error
    except Exception as error:
        return _unforeseen(error)


def _unforeseen(error: Exception) -> LatchkeyError:
    """A fault of ours with one instance must not keep the others waiting. Its text may quote a value: unlogged."""
    logger.error("Renewing a token failed in an unforeseen way: %s at %s", type(error).__name__, _place(error))
    return ProviderUnavailable("The token could not be renewed.", "The platform met an error of its own.")


def _place(error: Exception) -> str:
    """Where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
