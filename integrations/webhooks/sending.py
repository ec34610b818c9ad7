"""Deliveries that are due: claimed in batches, sent several at a time, and what came of it written down."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from connectors import transport
from connectors.encryption import SecretUnreadable
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.http import HttpRequest
from connectors.oauth2.response import retry_after
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks import signing
from integrations.webhooks.results import Answer, settle
from tenants import database_time
from tenants.models.lease import Ends, claim, lease_length

logger = logging.getLogger(__name__)

CHUNK = 100
THREADS = 16
# Of one endpoint, in one chunk: a slow one must not keep the others waiting.
PER_ENDPOINT = 25
MAX_BODY = 64 * 1024  # bytes of an answer that are read
EXCERPT = 500  # characters of it that are kept

_SEND = partial(transport.send, max_body=MAX_BODY)


@dataclass
class Tally:
    """What came of a batch."""

    claimed: int = 0
    delivered: int = 0
    failed: int = 0
    lost: int = 0  # the lease had passed to another when the answer came


def chunks_due(clock: Clock = database_time.now, *, most: int = 4) -> int:
    """How many chunks are due now, at most `most`: renewals go first, and have the same workers."""
    due = WebhookDelivery.objects.due(clock()).order_by()[: most * CHUNK].count()
    return -(-due // CHUNK)


def deliver_for(seconds: float, *, send: Send = _SEND, clock: Clock = database_time.now) -> int:
    """Send chunk after chunk for so long, as long as deliveries are taken; how many were."""
    until, delivered = time.monotonic() + seconds, 0
    while taken := deliver_chunk(send=send, clock=clock).delivered:
        delivered += taken
        if time.monotonic() > until:
            break
    return delivered


def deliver_chunk(*, send: Send = _SEND, clock: Clock = database_time.now, threads: int = THREADS) -> Tally:
    """Claim up to a chunk of due deliveries and send them. Only the caller's thread uses the database."""
    owner, now = uuid4(), clock()
    claimed = _claimed(owner, now, threads)
    return _deliver(claimed, owner, send=send, clock=clock, threads=threads)


def deliver_now(delivery: WebhookDelivery, *, send: Send = _SEND, clock: Clock = database_time.now) -> Tally:
    """Send this one now, whatever the schedule says, unless somebody is just sending it."""
    owner, now = uuid4(), clock()
    rows = WebhookDelivery.objects.pending().filter(pk=delivery.pk)
    claimed = claim(rows, now, owner=owner, ends=Ends.at(now + lease_length()), limit=1)
    tally = _deliver(claimed, owner, send=send, clock=clock, threads=1)
    delivery.refresh_from_db()
    return tally


def _claimed(owner: UUID, now: datetime, threads: int) -> list[Any]:
    due = WebhookDelivery.objects.due(now)
    count = due.order_by()[:CHUNK].count()
    until = now + lease_length(exchanges=max(1, -(-count // threads)))
    claimed: list[Any] = []
    waiting = due.order_by().values("endpoint")
    for endpoint in WebhookEndpoint.objects.enabled().filter(pk__in=waiting).order_by("?") if count else ():
        limit = min(PER_ENDPOINT, CHUNK - len(claimed))
        if endpoint.is_troubled:
            limit = min(limit, int(endpoint.take_turn(now)))
        if limit > 0:
            claimed += claim(due.filter(endpoint=endpoint), now, owner=owner, ends=Ends.at(until), limit=limit)
            claimed = list(dict.fromkeys(claimed))
    return claimed


def _deliver(claimed: Sequence[Any], owner: UUID, *, send: Send, clock: Clock, threads: int) -> Tally:
    rows = WebhookDelivery.objects.select_related("endpoint").filter(pk__in=claimed).order_by("next_attempt_at", "pk")
    tally = Tally(claimed=len(claimed))
    keys = _Keys(clock())
    # A pool of its own: the lease reckons with so many threads, and renewals have theirs.
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="webhook") as pool:
        asked = {pool.submit(_sent, row, keys.of(row.endpoint), send, clock): row for row in rows}
        for asking in as_completed(asked):
            written = settle(asked[asking], asking.result(), owner, clock())
            tally.lost += written is None
            tally.delivered += written is True
            tally.failed += written is False
    return tally


class _Keys:
    """What each endpoint's deliveries are signed with, read once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[int, list[str]] = {}

    def of(self, endpoint: WebhookEndpoint) -> list[str]:
        """Empty if they can't be read: then nothing is sent."""
        if endpoint.pk not in self._known:
            try:
                self._known[endpoint.pk] = endpoint.secrets_in_use(self._now)
            except SecretUnreadable:
                self._known[endpoint.pk] = []
        return self._known[endpoint.pk]


def _sent(delivery: WebhookDelivery, keys: Sequence[str], send: Send, clock: Clock) -> Answer:
    """Send it, and say what came of it; raises nothing. Uses no database."""
    if not keys:
        return Answer(trouble="Nothing was sent: no signing secret of the endpoint can be read. Give it a new one.")
    began = time.monotonic()
    answer = _carried(delivery, keys, send, clock)
    return answer.after(time.monotonic() - began)


def _carried(delivery: WebhookDelivery, keys: Sequence[str], send: Send, clock: Clock) -> Answer:
    now = clock()
    headers = signing.headers(delivery.pk, delivery.body, keys, now)
    request = HttpRequest("POST", delivery.endpoint.url, headers, delivery.body.encode())
    try:
        response = send(request)
    except LatchkeyError as error:
        # An answer that is too long for us is an answer all the same.
        return Answer(status=getattr(error, "status", None), trouble=str(error))
    except Exception as error:
        # Its text may quote what was sent: only its kind is logged.
        logger.error("A webhook could not be sent: %s", type(error).__name__)
        return Answer(trouble="The platform met an error of its own.")
    return Answer(status=response.status, excerpt=_excerpt(response.body), wished=retry_after(response.headers, now))


def _excerpt(body: bytes) -> str:
    text = body[: 4 * EXCERPT].decode("utf-8", errors="replace")
    readable = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)
    return readable.strip()[:EXCERPT]
