"""Trying an authentication method: one exchange with everything that it sent, got and came to, to be looked at."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import JsonValue

from connectors.oauth2.answers import read_answer
from connectors.oauth2.client_authentication import names_used
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.exchange import Clock, Send, ask, try_token
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.oauth2.lifetimes import lifetime, moment
from connectors.oauth2.marking import Known, Marker, known_from, known_of
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.paths import Answer
from connectors.oauth2.request import Signature, api_signature
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.sensitive import MAX_READ, is_sensitive, sensitive_in
from connectors.oauth2.steps import kept_of
from connectors.oauth2.templates import Rendering, parse

_MAX_SEARCHED = 2000  # values of an answer
_MAX_FOUND = 3


@dataclass(frozen=True)
class Exchanged:
    """A request and its answer; None: no usable one came. Its repr shows neither's content."""

    request: HttpRequest
    response: HttpResponse | None


@dataclass(frozen=True)
class Trial:
    """What trying a method came to. `token` are the exchanges that were to buy a token, `test` those that used it.

    With `error` there is no token; `test_error` says why the token is no good.
    """

    method: Method = field(repr=False)
    rendering: Rendering = field(repr=False)
    token: tuple[Exchanged, ...] = ()
    test: tuple[Exchanged, ...] = ()
    grant: TokenGrant | None = None
    signature: Signature | None = field(default=None, repr=False)
    error: LatchkeyError | None = None
    test_error: LatchkeyError | None = None

    @property
    def is_fine(self) -> bool:
        return self.error is None and self.test_error is None

    @property
    def status(self) -> int | None:
        """The status of the answer that decided about the token."""
        answered = [one.response.status for one in self.token if one.response is not None]
        return answered[-1] if answered else None

    @property
    def answer(self) -> Answer | None:
        """The answer that decided about the token, read; None where it did not come to that."""
        if len(self.token) <= len(self.method.definition.steps):
            return None
        answered = [one.response for one in self.token if one.response is not None]
        return read_answer(answered[-1]) if answered else None

    def token_marker(self) -> Marker:
        """Marks what buys a token, and covers every secret."""
        return self._marker(token_names(self.method))

    def api_marker(self) -> Marker:
        """Marks what API requests carry, and covers every secret."""
        return self._marker(api_names(self.method))

    def _marker(self, names: frozenset[str]) -> Marker:
        bought = {**self._kept_by_steps(), **(self.grant.names() if self.grant is not None else {})}
        known = known_of(self.method, self.rendering, bought)
        credentials = (one for done in (*self.token, *self.test) for one in known_from(done.request, known))
        # A value that isn't used there at all may be the same as one that is.
        told = (one for one in known if one.is_secret or not names.isdisjoint(one.names))
        return Marker((*told, *credentials, *self._unread_token(), *self._handed_on()))

    def _kept_by_steps(self) -> dict[str, str]:
        kept: dict[str, str] = {}
        for step, done in zip(self.method.definition.steps, self.token, strict=False):
            if done.response is not None:
                kept |= kept_of(step, read_answer(done.response), self.rendering.with_values(kept))
        return {name: value for name, value in kept.items() if value}

    def token_path(self) -> str:
        """Where the token was looked for."""
        return parse(self.method.definition.token_response.access_token).render(self.rendering).strip()

    def expiry(self) -> str:
        """Where the token's expiry was found, as words."""
        return _expiry(self) if self.grant is not None else ""

    def likely_paths(self) -> list[str]:
        """Where else in the answer a token may stand, if there is none where it was looked for."""
        answer = self.answer
        if self.grant is not None or answer is None:
            return []
        found = (path for path, name, text in leaves(answer.tree) if _is_token(name, text))
        return list(dict.fromkeys(found))[:_MAX_FOUND]

    def _handed_on(self) -> Iterator[Known]:
        """What earlier answers of the exchange hold that later requests may carry, a session's key above all."""
        for index, done in enumerate(self.token[:-1]):
            if done.response is not None:
                for value in _keys_in(done.response):
                    yield Known(value, (f"answer {index + 1}",), is_secret=True)

    def _unread_token(self) -> Iterator[Known]:
        """What stands where the token was looked for, though it could not be used."""
        answer = self.answer
        found = answer.find(self.token_path()) if answer is not None and self.token_path() != "$" else None
        if isinstance(found, str) and found.strip():
            yield Known(found, ("access_token",), is_secret=True)


def token_names(method: Method) -> frozenset[str]:
    """The names that a token request is made of."""
    names = set[str]()
    for index, (path, request) in enumerate(method.requests):
        texts = (text for text in method.texts_of(index) if text.path[: len(path)] == path)
        names |= names_used(request) | {name for text in texts for name in names_in(text.source)}
    return method.behind(frozenset(names))


def api_names(method: Method) -> frozenset[str]:
    """The names that an API request is made of."""
    return method.behind(
        frozenset({"base_url", *(name for text in method.api_texts() for name in names_in(text.source))})
    )


def try_out(method: Method, rendering: Rendering, *, send: Send, clock: Clock) -> Trial:
    """Ask for a token, look at how API requests would be signed and make the test request. Nothing is kept.

    Never raises `LatchkeyError`: it is in the trial.
    """
    asking, testing = _Recorder(send), _Recorder(send)
    try:
        grant = ask(method, rendering, send=asking, clock=clock)
        signature = api_signature(method, rendering, grant)
    except LatchkeyError as error:
        return Trial(method, rendering, tuple(asking.done), error=error)
    test_error = None
    try:
        try_token(method, rendering, grant, send=testing)
    except LatchkeyError as error:
        test_error = error
    done = tuple(asking.done), tuple(testing.done)
    return Trial(method, rendering, *done, grant=grant, signature=signature, test_error=test_error)


class _Recorder:
    """Sends by `send`, and remembers what went and what came."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.done: list[Exchanged] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.done.append(Exchanged(request, None))
        response = self._send(request)
        self.done[-1] = Exchanged(request, response)
        return response


def leaves(tree: JsonValue, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """The texts in an answer's data: path, own name, text."""
    waiting: list[tuple[tuple[str, ...], JsonValue]] = [(path, tree)]
    for _ in range(_MAX_SEARCHED):
        if not waiting:
            return
        here, node = waiting.pop(0)
        if isinstance(node, dict):
            waiting += [((*here, name), item) for name, item in node.items()]
        elif isinstance(node, list):
            waiting += [((*here, str(index)), item) for index, item in enumerate(node)]
        elif isinstance(node, str) and here:
            yield ".".join(here), here[-1], node


def _keys_in(response: HttpResponse) -> Iterator[str]:
    answer = read_answer(response)
    yield from (text for _, name, text in leaves(answer.tree) if is_sensitive(name, text))
    for cookie in response.headers.all("Set-Cookie"):
        yield cookie.partition(";")[0].partition("=")[2].strip().strip('"')
    if not isinstance(answer.tree, dict | list):
        yield from sensitive_in(answer.text[:MAX_READ])


def _is_token(name: str, text: str) -> bool:
    return len(text) >= 8 and "token" in name.lower() and is_sensitive(name, text) and " " not in text


def _expiry(trial: Trial) -> str:
    stated, answer = trial.method.definition.token_response, trial.answer
    if answer is None or trial.grant is None:
        return ""
    at, within = (_path(one, trial.rendering) for one in (stated.expires_at, stated.expires_in))
    if moment(answer.find(at), trial.grant.issued_at) is not None:
        return f"found at “{at}”"
    if lifetime(answer.find(within), stated.expires_in_unit) is not None:
        unit = {"s": "seconds", "ms": "milliseconds", "min": "minutes"}[stated.expires_in_unit]
        return f"found at “{within}”, a bare number counting as {unit}"
    places = [f"“{path}”" for path in (at, within) if path]
    missing = f"nothing usable at {' or '.join(places)}" if places else "the definition names no place for it"
    if stated.default_lifetime is not None:
        return f"{missing}; the definition's default lifetime of {stated.default_lifetime} seconds counts"
    return f"{missing}; the token is kept until an API refuses it"


def _path(source: str | None, rendering: Rendering) -> str:
    return parse(source).render(rendering).strip() if source else ""


def first_request(method: Method, rendering: Rendering) -> HttpRequest:
    """The first request of an exchange, without sending it. Raises `LatchkeyError` where it can't be made."""
    made: list[HttpRequest] = []

    def stop(request: HttpRequest) -> HttpResponse:
        made.append(request)
        raise _Made

    with suppress(_Made):
        ask(method, rendering, send=stop, clock=lambda: rendering.now)
    return made[0]


class _Made(Exception):
    """The request is there; nothing more is wanted."""
