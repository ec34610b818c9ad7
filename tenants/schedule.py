"""Which tokens are due, claimed and renewed in batches."""

import logging
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from connectors import transport
from connectors.encryption import SecretUnreadable
from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable
from connectors.oauth2.exchange import Clock, Send, ask
from connectors.oauth2.method import Method
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
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


def chunks_due(clock: Clock = timezone.now, *, most: int = 200) -> int:
    """How many chunks are due now, at most `most`."""
    due = Token.objects.due(clock()).order_by()[: most * CHUNK].count()
    return -(-due // CHUNK)


def renew_chunk(*, send: Send = transport.send, clock: Clock = timezone.now, threads: int = THREADS) -> Tally:
    """Claim up to a chunk of due tokens and renew them, several at a time.

    Only the caller's thread uses the database.
    """
    owner, now = uuid4(), clock()
    # Requests wait for a thread: the last may begin when all before it in its thread have timed out.
    until = now + timedelta(seconds=settings.OUTBOUND_TIMEOUT) * -(-CHUNK // threads) + lease_length()
    claimed = Token.objects.claim_due(now, owner=owner, until=until, limit=CHUNK)
    tally = Tally(claimed=len(claimed))
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="renew") as pool:
        asked = {
            pool.submit(_ask, token.definition.method, token.rendering(clock()), send, clock): token
            for token in _readable(claimed, tally, clock)
        }
        for done in as_completed(asked):
            _write(asked[done], done.result(), tally, clock)
    return tally


def _readable(claimed: list[UUID], tally: Tally, clock: Clock) -> Iterator[Token]:
    """The claimed tokens; one whose secrets can't be decrypted fails by itself and spoils no other."""
    try:
        tokens = list(Token.objects.with_definitions().filter(pk__in=claimed))
    except SecretUnreadable:
        tokens = [token for pk in claimed for token in _one_readable(pk, tally, clock)]
    yield from tokens


def _one_readable(pk: UUID, tally: Tally, clock: Clock) -> list[Token]:
    try:
        return list(Token.objects.with_definitions().filter(pk=pk))
    except SecretUnreadable as error:
        trouble = error
    for token in Token.objects.defer("secrets").select_related("instance__auth_method").filter(pk=pk):
        _write(token, trouble, tally, clock)
    return []


def _ask(method: Method, rendering: Rendering, send: Send, clock: Clock) -> TokenGrant | LatchkeyError:
    try:
        return ask(method, rendering, send=send, clock=clock)
    except LatchkeyError as error:
        return error
    except Exception as error:
        # A fault of ours with one instance must not keep the others waiting. Its text may quote a value: unlogged.
        logger.error("Renewing a token failed in an unforeseen way: %s at %s", type(error).__name__, _place(error))
        return ProviderUnavailable("The token could not be renewed.", "The platform met an error of its own.")


def _place(error: Exception) -> str:
    """Where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _write(token: Token, outcome: TokenGrant | LatchkeyError, tally: Tally, clock: Clock) -> None:
    if isinstance(outcome, LatchkeyError):
        written = token.fail(outcome, now=clock())
        tally.failed += written
    else:
        written = token.keep(outcome)
        tally.renewed += written
    tally.lost += not written


def prune_events(older_than: datetime, *, batch: int = 1000) -> int:
    """Delete the history from before `older_than`, a batch at a time. How many events there were."""
    deleted = 0
    while pks := list(Event.objects.filter(at__lt=older_than).order_by().values_list("pk", flat=True)[:batch]):
        deleted += Event.objects.filter(pk__in=pks).delete()[0]
    return deleted
