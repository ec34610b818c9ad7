"""One exchange, end to end: the request is made, handed to whoever carries it, and its answer read."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import cast

from connectors.oauth2.advice import proof_in
from connectors.oauth2.conversation import Conversation, Send, held
from connectors.oauth2.definition import Step
from connectors.oauth2.dpop import ProofKey, proven
from connectors.oauth2.errors import (
    CredentialsRefused,
    LatchkeyError,
    ProviderUnavailable,
    ResponseNotUnderstood,
    TokenRejected,
)
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.rejections import body_says_dead
from connectors.oauth2.request import (
    Bought,
    api_signature,
    endpoint_of,
    make_request,
    make_test_request,
    origin_of,
)
from connectors.oauth2.response import TRANSIENT_STATUSES, TokenGrant, read_grant, retry_after
from connectors.oauth2.steps import read_step
from connectors.oauth2.templates import Rendering, parse
from connectors.oauth2.values import secrets_of

_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
__all__ = ["Clock", "Send", "ask", "asking", "try_token"]

Clock = Callable[[], datetime]


def ask(method: Method, rendering: Rendering, *, send: Send, clock: Clock) -> TokenGrant:
    """Hold the conversation of `asking`, `send` carrying its requests; raises as it does."""
    return held(asking(method, rendering, clock=clock), send)


def asking(
    method: Method, rendering: Rendering, *, clock: Clock, began: datetime | None = None
) -> Conversation[TokenGrant]:
    """Make the steps, then ask for a token.

    `clock` is read when the answer is there: a lifetime counts from then. `began` is when the exchange began of which
    this is the second part: they share one deadline. Raises `ValidationFailed` before anything is
    sent, else a `TokenError`; none of them shows a secret.
    """
    steps = method.definition.steps
    # Steps share one deadline with the token request: each request says what those before it have used up.
    began = clock() if steps and began is None else began
    key = _proof_key(method, rendering)
    kept: dict[str, str] = {}
    for index in range(len(steps)):
        kept |= yield from _step_taken(method, index, rendering.with_values(kept), key, began, clock=clock)
    if kept:
        rendering = rendering.with_values(kept)
    key = key if method.definition.token_request.dpop else None
    if key is None:  # what `proven` would do then, at less cost
        request = _made(method, len(steps), began, clock, rendering)
        response = yield request
    else:
        make = partial(_made, method, len(steps), began, clock)
        request, response = yield from proven(make, rendering, key, clock=clock)
    grant = read_grant(
        method.definition.token_response,
        response,
        rendering,
        now=clock(),
        # Worked out only where something is quoted.
        secrets=chain(_unspeakable(method, rendering, request, len(steps)), kept.values()),
        usual_type="Bearer" if key is None else "DPoP",
        proof=proof_in(method.definition.token_request),
    )
    if key is not None:
        _check_bound(method, grant)
        grant = replace(grant, dpop_key=key.jwk)
    if kept:
        used = method.names_of_api
        grant = replace(grant, steps={name: value for name, value in kept.items() if name in used})
    if not method.signs_with_any_token:
        # An answer whose kept fields can't make the API's address is malformed, and better found now than by a reader.
        api_signature(method, rendering, grant)
    return grant


def _step_taken(
    method: Method,
    index: int,
    rendering: Rendering,
    key: ProofKey | None,
    began: datetime | None,
    *,
    clock: Clock,
) -> Conversation[Mapping[str, str]]:
    """What a step keeps. `rendering` holds what those before it kept."""
    step = method.definition.steps[index]
    make, carried = partial(_made, method, index, began, clock), partial(_carried_at, step)
    try:
        request, response = yield from proven(make, rendering, key if step.dpop else None, clock=clock, carried=carried)
        earlier = (rendering.values[name] for name in method.step_names(index))
        secrets = (*_unspeakable(method, rendering, request, index), *earlier)
        return read_step(step, response, rendering, now=clock(), secrets=secrets, places=method.error_places(index))
    except ProviderUnavailable as error:
        # The trouble of another host is not that of the endpoint, which others may use without this step.
        is_there = origin_of(method, index, rendering) == endpoint_of(method, rendering)
        error.is_endpoints = error.is_endpoints and is_there
        raise


def _carried_at(step: Step, request: HttpRequest) -> Conversation[HttpResponse]:
    """A step's request and its answer; what goes wrong on the way is told with the step's name."""
    try:
        return (yield request)
    except LatchkeyError as error:
        trouble = error.at(f"At the step “{step.key}”")
    raise trouble


def _proof_key(method: Method, rendering: Rendering) -> ProofKey | None:
    """The key to bind the token to: that of the instance's earlier tokens, else a new one."""
    if not method.binds_tokens:
        return None
    return ProofKey(rendering.dpop_key) if rendering.dpop_key else ProofKey.make()


def _check_bound(method: Method, grant: TokenGrant) -> None:
    """A token of another type is one that anybody could use who gets hold of it (RFC 9449 section 5)."""
    if grant.token_type.lower() == "dpop":
        return
    raise ResponseNotUnderstood(
        f"The provider issued a token, but did not bind it to the key: its type is “{grant.token_type}”, not “DPoP”.",
        "DPoP may not be switched on for this client, or the provider does not know it.",
        "Switch it on in the provider's console. If the provider binds tokens but calls their type otherwise, the "
        'administrator can write `token_response.token_type: ""`; without binding, take `dpop` away.',
    )


def _made(method: Method, index: int, began: datetime | None, clock: Clock, rendering: Rendering) -> HttpRequest:
    request = make_request(method, index, rendering)
    if began is None:
        return request
    return replace(request, spent=max(0.0, (clock() - began).total_seconds()))


def _unspeakable(method: Method, rendering: Rendering, request: HttpRequest, index: int) -> Iterator[str]:
    """The secrets, and everything that was made of them and sent: a provider may repeat any of it."""
    yield from secrets_of(method, rendering.values)
    for sent in (*request.headers.all("Authorization"), *request.headers.all("DPoP")):
        yield from (sent, sent.rpartition(" ")[2])
    # A signed assertion is as good as a secret until it expires.
    yield from (jwt[0].decode() for jwt in _JWT.finditer(request.url.encode() + b" " + (request.body or b"")))
    hidden = method.secret_keys | method.step_names(index)
    for text in method.texts_of(index):
        if not hidden.isdisjoint(names_in(text.source)):
            sent = parse(text.source).render(rendering)
            yield from (sent, sent.rpartition(" ")[2])


def _tested(method: Method, grant: Bought, rendering: Rendering) -> HttpRequest | None:
    return make_test_request(method, rendering, grant)


def try_token(method: Method, rendering: Rendering, grant: Bought, *, send: Send) -> None:
    """Make the definition's test request, if there is one.

    Raises `CredentialsRefused` for an unexpected status, `TokenRejected` for an answer that means a dead token,
    `ProviderUnavailable` for one that says nothing of the token.
    """
    test = method.definition.test_request
    if test is None:
        return
    key = ProofKey(grant.dpop_key) if grant.dpop_key else None
    make = cast(Callable[[Rendering], HttpRequest], partial(_tested, method, grant))  # there is one, as we saw
    testing = proven(make, rendering, key, clock=lambda: rendering.now, access_token=grant.access_token)
    _, response = held(testing, send)
    if body_says_dead(method.definition.refresh, response):
        raise TokenRejected(
            f"A token was issued, but the API answers it with status {response.status} and a body that means a dead "
            "token (`refresh.on_body`).",
            "The token may have been replaced or revoked elsewhere, or belong to another environment.",
            "Check the client in the provider's console. If the token works, the administrator should compare "
            "`refresh.on_body` with the API's answer.",
            status=response.status,
        )
    if response.status not in test.expect_status:
        raise _untested(method, response, test.expect_status, rendering.now)


def _untested(
    method: Method, response: HttpResponse, expected: Sequence[int], now: datetime
) -> CredentialsRefused | ProviderUnavailable:
    """What an unexpected answer to the test request means. An API's own trouble says nothing of the token."""
    status = response.status
    what = (
        f"A token was issued, but the API answers it with status {status} instead of {' or '.join(map(str, expected))}."
    )
    is_dead = status in method.definition.refresh.on_status
    is_trouble = status >= 500 or status in TRANSIENT_STATUSES
    if is_trouble and not is_dead:
        return ProviderUnavailable(
            what,
            "The API is busy or in trouble, which says nothing of the token.",
            "Try again later.",
            retry_after=retry_after(response.headers, now),
        )
    refused = TokenRejected if is_dead else CredentialsRefused
    return refused(
        what,
        "The client may lack a permission or a scope, or belong to another environment.",
        "Check the client's permissions in the provider's console.",
        status=status,
    )
