"""Whatever comes out of a connection is a grant or a typed error, within the size cap and without a secret.

`LATCHKEY_ANSWERS=100000 pytest tests/connectors/oauth2/test_any_answer.py` tries so many answers (3,000 otherwise);
`LATCHKEY_ANSWERS_SEED` says which (another number, others). A failure names the seed of its one exchange.
"""

import os
import random
import socket
import time
from collections import Counter
from functools import partial
from ipaddress import ip_address

import pytest

from connectors import transport
from connectors.exchange import Connection
from connectors.oauth2.errors import TokenError
from connectors.oauth2.exchange import ask
from connectors.oauth2.request import api_signature
from connectors.oauth2.response import TokenGrant
from tests.connectors.oauth2.any_answers import CUT, answer
from tests.connectors.oauth2.definitions import NOW, given, method_of

COUNT = int(os.environ.get("LATCHKEY_ANSWERS", "3000"))
SEED = int(os.environ.get("LATCHKEY_ANSWERS_SEED", "1"))
DEADLINE = 20.0  # seconds
SECRET = "s3cr3t-value"
LOCAL = transport.Outbound(timeout=DEADLINE)
STEP = {
    "key": "login",
    "url": "https://auth.example.com/login",
    "keep": {"session": "session", "sid": "cookie:sid", "xml": "r.session"},
    "body": {"user": "{{client_id}}", "password": "{{client_secret}}"},
}
METHODS = [
    method_of(),
    method_of(token_response={"access_token": "data.access_token", "expires_at": "expires_at", "keep": ["session"]}),
    method_of(token_response={"access_token": "$", "expires_in_unit": "ms", "default_lifetime": 60}),
    method_of(token_response={"access_token": "header:X-Token", "error": ["error", "code", "r.error"]}),
    method_of(token_response={"access_token": "r.access_token", "keep": {"x": "r.@a"}}),
    method_of(token_response={"keep": ["session"]}, base_url="{{response.session}}"),
    method_of(token_request={"dpop": True}),
    method_of(steps=[STEP], token_request={"headers": {"X-Session": "{{login.session}}"}}),
    method_of(steps=[STEP, {**STEP, "key": "again", "headers": {"C": "{{login.sid}}"}}], base_url="{{again.session}}"),
    method_of(
        token_response={"errors": {"credentials": ["a", 1], "retry": ["t", 0]}, "error": "code"},
        token_request={"client_authentication": "client_secret_basic", "body_format": "json"},
    ),
]
GIVEN = [given(method, client_secret=SECRET) for method in METHODS]


class Said:
    """A pool whose connections hold an answer each, and end behind it."""

    def __init__(self, drawn):
        self.drawn, self.open = drawn, []

    def take(self, key):
        ours, theirs = socket.socketpair()
        self.open += [ours, theirs]
        ours.setblocking(False)
        theirs.sendall(answer(self.drawn))
        theirs.shutdown(socket.SHUT_WR)
        return Connection(ours, ip_address("203.0.113.7"))

    def put(self, key, connection):
        pass

    def close(self):
        for one in self.open:
            one.close()


def outcome(seed):
    drawn = random.Random(seed)  # noqa: S311 -- not for secrets
    index = drawn.randrange(len(METHODS))
    said = Said(drawn)
    send = partial(transport.send, outbound=LOCAL, pool=said, max_body=CUT)
    try:
        grant = ask(METHODS[index], GIVEN[index], send=send, clock=lambda: NOW)
    except TokenError as error:
        return error
    finally:
        said.close()
    api_signature(METHODS[index], GIVEN[index], grant)
    return grant


def check(result):
    if isinstance(result, TokenGrant):
        assert result.access_token
        assert result.access_token.isascii()
        assert len(result.access_token) <= CUT
        return
    assert result.what
    assert result.why
    assert result.remedy
    assert SECRET not in f"{result} {vars(result)} {result.__context__!r}"
    assert len(str(result)) < 2000
    str(result).encode()


def test_any_answer_is_a_grant_or_a_typed_error():
    met, slowest = Counter(), 0.0
    for number in range(COUNT):
        seed = SEED * 10**9 + number
        began = time.monotonic()
        try:
            result = outcome(seed)
            check(result)
        except Exception as error:
            pytest.fail(f"The exchange of seed {seed} came to {type(error).__name__}: {error}")
        slowest = max(slowest, time.monotonic() - began)
        met[type(result).__name__] += 1
    print(f"{COUNT} exchanges: {dict(met)}; the slowest took {slowest:.2f} s")
    assert slowest < DEADLINE + 10
    # A generator that brings only one kind would prove nothing.
    assert set(met) == {"TokenGrant", "CredentialsRefused", "ProviderUnavailable", "ResponseNotUnderstood"}
