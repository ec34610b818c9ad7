"""Which tokens are due, claimed and renewed in batches."""

import logging
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import DatabaseError

from connectors import transport
from connectors.encryption import SecretUnreadable
from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable
from connectors.oauth2.exchange import Clock, Send, ask
from connectors.oauth2.method import Method
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from tenants import database_time
from tenants.errors import InstanceNotFound
from tenants.models.event import Event
from tenants.models.lease import lease_length
from tenants.models.token import Token

logger = logging.getLogger(__name__)

CHUNK = 50
THREADS = 16


@dataclass
class Tally:
    """What came of a batch."""

    claimed: int = 0
    renewed: int = 0
    failed: int = 0
    lost: int = 0  # the lease had passed to another when the answer came


def chunks_due(clock: Clock = database_time.now, *, most: int = 200) -> int:
    """How many chunks are due now, at most `most`."""
    due = Token.objects.due(clock()).order_by()[: most * CHUNK].count()
    return -(-due // CHUNK)


def renew_chunk(*, send: Send = transport.send, clock: Clock = database_time.now, threads: int = THREADS) -> Tally:
    """Claim up to a chunk of due tokens and renew them, several at a time.

    Only the caller's thread uses the database.
    """
    owner, now = uuid4(), clock()
    # Requests wait for a thread, and a lease outlasts the waiting. No more than is due is reckoned with, and no more
    # is claimed: when a worker dies, others wait for its leases.
    due = Token.objects.due(now).order_by()[:CHUNK].count()
    until = now + lease_length(exchanges=-(-due // threads))
    claimed = Token.objects.claim_due(now, owner=owner, until=until, limit=due) if due else []
    tally = Tally(claimed=len(claimed))
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="renew") as pool:
        asked = {}
        for token in _readable(claimed, owner, tally, clock):
            token.hold(owner)
            prepared = _prepared(token, clock)
            if isinstance(prepared, LatchkeyError):
                _write(token, prepared, tally, clock)
            else:
                asked[pool.submit(_ask, *prepared, send, clock)] = token
        for done in as_completed(asked):
            _write(asked[done], done.result(), tally, clock)
    return tally


def _readable(claimed: list[UUID], owner: UUID, tally: Tally, clock: Clock) -> list[Token]:
    """The claimed tokens; one whose secrets can't be decrypted fails by itself and spoils no other."""
    try:
        return list(Token.objects.with_definitions().filter(pk__in=claimed))
    except SecretUnreadable:
        return [token for pk in claimed for token in _one_readable(pk, owner, tally, clock)]


def _one_readable(pk: UUID, owner: UUID, tally: Tally, clock: Clock) -> list[Token]:
    try:
        return list(Token.objects.with_definitions().filter(pk=pk))
    except SecretUnreadable as error:
        trouble = error
    for token in Token.objects.with_methods().defer("secrets").filter(pk=pk):
        token.hold(owner)
        _write(token, trouble, tally, clock)
    return []


def _prepared(token: Token, clock: Clock) -> tuple[Method, Rendering] | LatchkeyError:
    """What asking takes, read from the database."""
    try:
        return token.prepare(clock())
    except LatchkeyError as error:
        return error
    except Exception as error:
        return _unforeseen(error)


def _ask(method: Method, rendering: Rendering, send: Send, clock: Clock) -> TokenGrant | LatchkeyError:
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


def _write(token: Token, outcome: TokenGrant | LatchkeyError, tally: Tally, clock: Clock) -> None:
    failed = isinstance(outcome, LatchkeyError)
    try:
        written = token.fail(outcome, now=clock()) if isinstance(outcome, LatchkeyError) else token.keep(outcome)
    except InstanceNotFound:
        written = False
    except DatabaseError as error:
        # The others' results are still to be written; this one is asked for again when its lease has run out.
        logger.error("A renewed token could not be stored: %s at %s", type(error).__name__, _place(error))
        written = False
    tally.failed += written and failed
    tally.renewed += written and not failed
    tally.lost += not written


def prune_events(older_than: datetime, *, batch: int = 1000) -> int:
    """Delete the history from before `older_than`, a batch at a time. How many events there were."""
    deleted = 0
    while pks := list(Event.objects.filter(at__lt=older_than).order_by().values_list("pk", flat=True)[:batch]):
        deleted += Event.objects.filter(pk__in=pks).delete()[0]
    return deleted
