"""Asking a provider for a token, with the time that it takes told to those who count it."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from connectors.oauth2 import exchange
from connectors.oauth2.conversation import Conversation, held
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.method import Method
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from tenants import signals
from tenants.base_addresses import refuse_open_answer


class Exchange(NamedTuple):
    """With a connector (its key), and how many seconds it took."""

    connector: str
    seconds: float


def ask(method: Method, rendering: Rendering, *, send: Send, clock: Clock, began: datetime | None = None) -> TokenGrant:
    """As `exchange.ask`, which says what is raised; `AddressRefused` for an API's address over plain http, too."""
    grant = held(asking(method, rendering, clock=clock, began=began), send)
    refuse_open_answer(method, rendering, grant)
    return grant


def asking(
    method: Method,
    rendering: Rendering,
    *,
    clock: Clock,
    began: datetime | None = None,
    told: Callable[[Exchange], None] | None = None,
) -> Conversation[TokenGrant]:
    """As `exchange.asking`, which says what is raised. `told` takes what is counted of it; None: it is told at once."""
    start = time.perf_counter()
    try:
        grant = yield from exchange.asking(method, rendering, clock=clock, began=began)
        # Nobody is looked up here: many conversations may share a thread.
        refuse_open_answer(method, rendering, grant, resolve=None)
        return grant
    finally:
        done = Exchange(method.connector.key, time.perf_counter() - start)
        if told is None:
            tell([done])
        else:
            told(done)


def tell(exchanges: Sequence[Exchange]) -> None:
    """Tell those who count of exchanges that are over."""
    if exchanges:
        signals.asked.send_robust(tell, exchanges=exchanges)
