"""Requests and answers in turn, whoever carries them: one after another, or many conversations side by side.

A conversation is a generator. It yields each request, is sent its answer (or thrown the `LatchkeyError` that came of
it), and returns what it was about.
"""

from collections.abc import Callable, Generator
from typing import TypeVar

from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.http import HttpRequest, HttpResponse

Result = TypeVar("Result")
Conversation = Generator[HttpRequest, HttpResponse, Result]
Send = Callable[[HttpRequest], HttpResponse]


def carried(request: HttpRequest) -> Conversation[HttpResponse]:
    """One request, and its answer."""
    return (yield request)


def held(conversation: Conversation[Result], send: Send) -> Result:
    """Hold a conversation to its end, `send` carrying each of its requests. Raises what it raises."""
    answer: HttpResponse | LatchkeyError | None = None
    while True:
        request = following(conversation, answer)
        if not isinstance(request, HttpRequest):
            return request
        try:
            answer = send(request)
        except LatchkeyError as error:
            answer = error


def following(conversation: Conversation[Result], answer: HttpResponse | Exception | None) -> HttpRequest | Result:
    """The next request of a conversation after this answer (None: the first one), or at its end what it was about."""
    try:
        if isinstance(answer, Exception):
            return conversation.throw(answer)
        return next(conversation) if answer is None else conversation.send(answer)
    except StopIteration as end:
        result: Result = end.value
    return result
