"""One exchange, end to end: the request is made, handed to whoever sends it, and its answer read."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from connectors.oauth2.errors import CredentialsRefused
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.request import Bought, api_signature, make_test_request, make_token_request
from connectors.oauth2.response import TokenGrant, read_grant
from connectors.oauth2.templates import Rendering, parse
from connectors.oauth2.values import secrets_of

_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
Send = Callable[[HttpRequest], HttpResponse]
Clock = Callable[[], datetime]


def ask(method: Method, rendering: Rendering, *, send: Send, clock: Clock) -> TokenGrant:
    """Ask for a token.

    `clock` is read when the answer is there: a lifetime counts from then. Raises `ValidationFailed` before anything is
    sent, else a `TokenError`; none of them shows a secret.
    """
    request = make_token_request(method, rendering)
    response = send(request)
    grant = read_grant(
        method.definition.token_response,
        response,
        rendering,
        now=clock(),
        secrets=_unspeakable(method, rendering, request),
    )
    # An answer whose kept fields can't make the API's address is malformed, and better found now than by a reader.
    api_signature(method, rendering, grant)
    return grant


def _unspeakable(method: Method, rendering: Rendering, request: HttpRequest) -> Iterator[str]:
    """The secrets, and everything that was made of them and sent: a provider may repeat any of it."""
    yield from secrets_of(method, rendering.values)
    for sent in request.headers.all("Authorization"):
        yield from (sent, sent.rpartition(" ")[2])
    # A signed assertion is as good as a secret until it expires.
    yield from (jwt[0].decode() for jwt in _JWT.finditer(request.url.encode() + b" " + (request.body or b"")))
    for text in method.token_texts():
        if not method.secret_keys.isdisjoint(names_in(text.source)):
            sent = parse(text.source).render(rendering)
            yield from (sent, sent.rpartition(" ")[2])


def try_token(method: Method, rendering: Rendering, grant: Bought, *, send: Send) -> None:
    """Make the definition's test request, if there is one. Raises `CredentialsRefused` for an unexpected status."""
    request = make_test_request(method, rendering, grant)
    test = method.definition.test_request
    if request is None or test is None:
        return
    status = send(request).status
    if status not in test.expect_status:
        expected = " or ".join(str(one) for one in test.expect_status)
        raise CredentialsRefused(
            f"A token was issued, but the API answers it with status {status} instead of {expected}.",
            "The client may lack a permission or a scope, or belong to another environment.",
            "Check the client's permissions in the provider's console.",
            status=status,
        )
