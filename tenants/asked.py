"""Asking a provider for a token, with the time that it takes told to those who count it."""

import time

from connectors.oauth2 import exchange
from connectors.oauth2.conversation import Conversation, held
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.method import Method
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from tenants import signals


def ask(method: Method, rendering: Rendering, *, send: Send, clock: Clock) -> TokenGrant:
    """As `exchange.ask`, which says what is raised."""
    return held(asking(method, rendering, clock=clock), send)


def asking(method: Method, rendering: Rendering, *, clock: Clock) -> Conversation[TokenGrant]:
    """As `exchange.asking`, which says what is raised."""
    start = time.perf_counter()
    try:
        return (yield from exchange.asking(method, rendering, clock=clock))
    finally:
        seconds = time.perf_counter() - start
        signals.asked.send_robust(asking, connector=method.connector.key, seconds=seconds)
