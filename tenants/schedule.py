"""Which tokens are due, claimed and renewed in batches."""

import logging
import traceback
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID, uuid4

from django.db import DatabaseError

from connectors.oauth2.conversation import Conversation, following
from connectors.oauth2.errors import CredentialsRefused, LatchkeyError, MintBudgetSpent, ProviderUnavailable
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.http import HttpRequest
from connectors.oauth2.method import Method
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from tenants import database_time, renewal
from tenants.asked import Exchange, asking, tell
from tenants.carriers import MOST, Answer, Carrier, carrier
from tenants.models import recovery
from tenants.models.asking import EndpointSpared
from tenants.models.claimed import held_by
from tenants.models.endpoint import Endpoint, Result, is_answer, is_trouble
from tenants.models.instance import Instance
from tenants.models.lease import Ends, claim, lease_length
from tenants.models.outcome import Outcome, write_back
from tenants.models.token import Token

logger = logging.getLogger(__name__)

Waiting = deque[tuple[Token, LatchkeyError | None]]

# Larger chunks share their statements among more; but they hold their leases longer when a worker dies.
CHUNK = 4 * MOST
WRITE_EVERY = 0.5  # seconds that a result waits for others, to be written together with them
LOOK_EVERY = 0.5  # seconds after which it is looked whether what waits for its turn is still to be asked for


@dataclass
class Tally:
    """What came of a batch."""

    claimed: int = 0
    renewed: int = 0
    failed: int = 0
    lost: int = 0  # the lease had passed to another when the answer came
    # Not asked for after all: its endpoint is in trouble or wishes so, the budget has no room yet, or a person paused
    # or removed it.
    spared: int = 0


def chunks_due(clock: Clock = database_time.now, *, most: int = 200) -> int:
    """How many chunks are due now, at most `most`."""
    now = clock()
    closed = Endpoint.objects.closed().values("origin")
    due = Token.objects.due(now).exclude(endpoint__in=closed).order_by()[: most * CHUNK].count()
    return -(-due // CHUNK) or int(Endpoint.objects.to_probe(now).exists())


def renew_chunk(*, send: Send | None = None, clock: Clock = database_time.now, at_once: int = MOST) -> Tally:
    """Claim up to a chunk of due tokens and renew them, several at a time.

    Of an endpoint that is closed at most one is asked for, to see whether it is back. Only the caller's thread uses
    the database. `send` carries requests, in threads; None: they are carried side by side.
    """
    owner, now = uuid4(), clock()
    troubled = list(Endpoint.objects.all())
    closed = [endpoint for endpoint in troubled if endpoint.is_closed]
    claimed = _claimed(owner, now, closed, at_once)
    batch = Batch(Tally(claimed=len(claimed)), clock, {endpoint.origin for endpoint in troubled})
    with carrier(send, at_once=at_once) as carrying:
        asked = _Round(carrying, batch, clock, frozenset(endpoint.origin for endpoint in closed), owner)
        asked.renew(held_by(owner) if claimed else ())
    for endpoint in closed:
        _say_what_they_wait_for(endpoint, clock)
    return batch.tally


class _Round:
    """Tokens being asked for, each in a conversation of its own."""

    def __init__(self, carrying: Carrier, batch: "Batch", clock: Clock, closed: frozenset[str], owner: UUID) -> None:
        self._carrying = carrying
        self._batch = batch
        self._clock = clock
        self._closed = closed
        self._owner = owner
        self._looked = monotonic()
        # Endpoints that turned out, in the course of this, to be in trouble or to wish to be left alone: what still
        # waits for its turn heeds that.
        self._unwilling: set[str] = set()
        # How many instances in a row met trouble there.
        self._met: Counter[str] = Counter()

    def renew(self, tokens: Iterable[tuple[Token, LatchkeyError | None]]) -> None:
        """Ask for these, and write down what comes of it; or what was in the way."""
        waiting = deque(tokens)
        while waiting or self._carrying.under_way:
            waiting, now = self._wanted(waiting), self._clock()
            for _ in range(min(len(waiting), self._carrying.room)):
                token, trouble = waiting.popleft()
                if trouble is None:
                    self._begin(token, now)
                else:
                    self._batch.add(token, trouble)
            known = len(self._unwilling)
            for (token, conversation), answer in self._carrying.answers(WRITE_EVERY):
                self._go_on(token, conversation, answer)
            if len(self._unwilling) > known:
                self._batch.write()  # at once: other workers are to heed it too
            self._batch.write_in_time()
        self._batch.write()

    def _wanted(self, waiting: Waiting) -> Waiting:
        """Those still to be asked for, looked up now and then: people pause and remove what waits for its turn."""
        if not waiting or monotonic() - self._looked < LOOK_EVERY:
            return waiting
        self._looked = monotonic()
        awake = Token.objects.filter(lease_owner=self._owner).exclude(instance__status=Instance.Status.PAUSED)
        try:
            wanted = set(awake.values_list("pk", flat=True))
        except DatabaseError:
            return waiting  # what is under way is still to be heard
        for token, _ in waiting:
            if token.pk not in wanted:
                self._spare(token)
        return deque(one for one in waiting if one[0].pk in wanted)

    def _spare(self, token: Token, *columns: str) -> None:
        token.write_leased(*columns)
        self._batch.tally.spared += 1

    def _begin(self, token: Token, now: datetime) -> None:
        if token.instance.status == Instance.Status.PAUSED:  # between the search for what is due and the reading of it
            self._spare(token)
            return
        last = token.endpoint
        # One whose own endpoint is closed is the probe of it.
        spared = self._unwilling | (self._closed - {last})
        prepared = None if last in self._unwilling else _prepared(token, now, spared)
        if last in self._closed and token.endpoint != last:
            Token.objects.move_from(last, token.instance.auth_method_id, now)
        if prepared is None:
            self._spare(token, "endpoint")  # still due, as soon as its endpoint is asked again
        elif isinstance(prepared, MintBudgetSpent) and token.postpone(prepared, now):
            self._batch.tally.spared += 1
        elif isinstance(prepared, LatchkeyError):
            self._batch.add(token, prepared)
        else:
            self._go_on(token, asking(*prepared, clock=self._clock, told=self._batch.asked.append), None)

    def _go_on(self, token: Token, conversation: Conversation[TokenGrant], answer: Answer | None) -> None:
        said = _following(conversation, answer)
        if isinstance(said, HttpRequest):
            self._carrying.give((token, conversation), said)
            return
        self._heed(token.endpoint, said)
        if isinstance(said, TokenGrant):
            self._batch.add(token, said)
            return
        again = _fallen_back(token, said, self._clock)
        if isinstance(again, tuple):
            told = self._batch.asked.append
            self._go_on(token, asking(*again, clock=self._clock, began=token.asked_at, told=told), None)
        else:
            self._batch.add(token, again or said)

    def _heed(self, origin: str, said: Result) -> None:
        """Take in what an answer says of the endpoint that gave it."""
        if is_trouble(said):
            self._met[origin] += 1
            wishes_it = isinstance(said, ProviderUnavailable) and bool(said.retry_after)
            if origin and (wishes_it or self._met[origin] >= renewal.CLOSED_AFTER):
                self._unwilling.add(origin)
        elif self._met and is_answer(said):
            del self._met[origin]


def _following(conversation: Conversation[TokenGrant], answer: Answer | None) -> HttpRequest | Result:
    """What follows this answer: another request, or what came of it all."""
    try:
        return following(conversation, answer)
    except LatchkeyError as error:
        return error
    except Exception as error:
        return _unforeseen(error)


def _claimed(owner: UUID, now: datetime, closed: Sequence[Endpoint], at_once: int) -> list[UUID]:
    """The tokens whose leases were taken: what is due, and a probe for each closed endpoint whose time has come."""
    # Requests wait for their turn, and a lease outlasts that. No more than is due is reckoned with: when a worker dies,
    # others wait for its leases.
    turns = range(1, -(-CHUNK // at_once) + 1)
    ends = Ends([now + lease_length(exchanges=exchanges) for exchanges in turns], each=at_once)
    origins = [endpoint.origin for endpoint in closed]
    claimed = Token.claim_due(now, owner=owner, ends=ends, limit=CHUNK, closed=origins)
    for endpoint in closed:
        if endpoint.retry_at and endpoint.retry_at <= now and endpoint.take_probe(now):
            probes = Token.objects.stranded(endpoint.origin, now).filter(refresh_at__lte=now)
            claimed += claim(probes, now, owner=owner, ends=ends, limit=1)
    return list(dict.fromkeys(claimed))


def _say_what_they_wait_for(endpoint: Endpoint, clock: Clock) -> None:
    """Instances whose tokens died while their endpoint is closed are failing, though nobody asked for them."""
    owner, now = uuid4(), clock()
    dead = Token.objects.stranded(endpoint.origin, now).filter(
        refresh_at__lte=now, expires_at__lte=now, instance__status=Instance.Status.ACTIVE
    )
    claimed = claim(dead, now, owner=owner, ends=Ends.at(now + lease_length()), limit=CHUNK)
    tokens = Token.objects.with_methods().defer("secrets").filter(pk__in=claimed)
    write_back([token.stranded(endpoint.trouble(now), owner, now) for token in tokens], tokens=Token)


class Batch:
    """Outcomes on their way into the database: few statements for many, but none kept waiting for a slow provider."""

    def __init__(self, tally: Tally, clock: Clock, in_trouble: Collection[str]) -> None:
        self.tally = tally
        self.asked: list[Exchange] = []
        self._clock = clock
        self._in_trouble = in_trouble
        self._outcomes: list[Outcome] = []
        self._heard: list[recovery.Heard] = []
        self._answered: set[str] = set()
        self._since = 0.0  # when the first of them came

    def add(self, token: Token, result: Result) -> None:
        if not self._outcomes:
            self._since = monotonic()
        # That an endpoint answers is to be heard but once.
        if isinstance(result, LatchkeyError) or token.endpoint not in self._answered:
            self._heard.append(token.heard(result))
        if isinstance(result, TokenGrant):
            self._answered.add(token.endpoint)
        self._outcomes.append(
            token.failed(result, now=self._clock()) if isinstance(result, LatchkeyError) else token.kept(result)
        )

    def write_in_time(self) -> None:
        """Write what was added, if the first of it has waited long enough for others."""
        if self._outcomes and monotonic() - self._since >= WRITE_EVERY:
            self.write()

    def write(self) -> None:
        """Write what was added since the last time."""
        asked, self.asked[:] = tuple(self.asked), ()
        tell(asked)
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            # History is in the order of what was written: what people did while this one waited comes before it.
            outcome.at = max(outcome.at, self._clock())
        try:
            written = write_back(outcomes, tokens=Token)
        except DatabaseError:
            # One of them may be at fault: the others' results are still to be written.
            written = [one for outcome in outcomes for one in _written_alone(outcome)]
        failed = sum(outcome.error is not None for outcome in written)
        self.tally.failed += failed
        self.tally.renewed += len(written) - failed
        self.tally.lost += len(outcomes) - len(written)
        heard, self._heard = self._heard, []
        self._answered.clear()
        recovery.note(heard, self._clock(), tokens=Token.objects, in_trouble=self._in_trouble)


def _written_alone(outcome: Outcome) -> list[Outcome]:
    try:
        return write_back([outcome], tokens=Token)
    except DatabaseError as error:
        # This one is asked for again when its lease has run out.
        logger.error("A renewed token could not be stored: %s at %s", type(error).__name__, _place(error))
        return []


def _prepared(token: Token, now: datetime, spared: Collection[str]) -> tuple[Method, Rendering] | LatchkeyError | None:
    """What asking takes, read from the database; None where its endpoint is one of `spared`."""
    try:
        return token.prepare(now, spared=spared)
    except EndpointSpared:
        return None
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


def _unforeseen(error: Exception) -> LatchkeyError:
    """A fault of ours with one instance must not keep the others waiting. Its text may quote a value: unlogged."""
    logger.error("Renewing a token failed in an unforeseen way: %s at %s", type(error).__name__, _place(error))
    return ProviderUnavailable("The token could not be renewed.", "The platform met an error of its own.")


def _place(error: Exception) -> str:
    """Where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
