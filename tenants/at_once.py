"""Asking a provider while a person waits for the answer: what it says is told, not only written down."""

from typing import Any

from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable
from connectors.oauth2.exchange import Clock, Send, try_token
from connectors.oauth2.method import Method
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from tenants.asked import ask
from tenants.budgets import enter_request
from tenants.models.endpoint import note_wish, refuse_unwelcome
from tenants.models.event import Event
from tenants.models.instance import Instance
from tenants.models.token import Token


def asked(method: Method, rendering: Rendering, endpoint: str, send: Send, clock: Clock) -> TokenGrant:
    """The answer to new values. What a person's request is told of the endpoint holds for everyone."""
    refuse_unwelcome(endpoint, clock())
    enter_request(method, rendering)
    try:
        return ask(method, rendering, send=send, clock=clock)
    except LatchkeyError as error:
        note_wish(endpoint, error, clock())
        raise


def renewed(token: Token, actor: Any, send: Send, clock: Clock) -> None:
    """Renew a token under the lease that is ours."""
    first = token.instance.status == Instance.Status.PENDING
    kind = Event.Kind.CONNECTED if first else Event.Kind.RENEWED
    try:
        refuse_unwelcome(token.locate(clock()), clock())
        if not token.renew(send=send, clock=clock, kind=kind, actor=actor):
            token.refresh_from_db()  # it may have been removed
            raise overtaken()
    finally:
        token.give_back()
    token.refresh_from_db()


def tried(token: Token, send: Send, clock: Clock) -> LatchkeyError | None:
    """What the definition's test request, made with this token, finds wrong."""
    try:
        try_token(token.definition.method, token.rendering(clock()), token.bought, send=send)
    except LatchkeyError as error:
        return error
    return None


def overtaken() -> ProviderUnavailable:
    return ProviderUnavailable(
        "The provider took too long to answer.",
        "Meanwhile another process took over, and its result counts.",
        "Try again.",
    )
