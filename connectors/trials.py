"""Trying a method before any tenant exists: one exchange, or several ways of it in turn. Nothing is kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from connectors import transport
from connectors.deadline import Deadline
from connectors.oauth2.alternatives import Alternative, is_better, with_alternative, worth_trying
from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable, ValidationFailed
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.http import HttpRequest, HttpResponse
from connectors.oauth2.method import Method
from connectors.oauth2.trial import Trial, try_out
from connectors.oauth2.values import check_complete, check_given, resolve
from connectors.signals import asking

Announce = Callable[..., object]


@dataclass(frozen=True)
class Attempt:
    """One of the alternatives that were tried."""

    alternative: Alternative
    trial: Trial = field(repr=False)
    method: Method = field(repr=False)


@dataclass(frozen=True)
class Search:
    """The alternatives that were tried, in order; the last is the one that worked, if `found`."""

    attempts: Sequence[Attempt]
    found: Attempt | None


def try_method(
    method: Method,
    given: Mapping[str, str],
    operator: Mapping[str, str],
    *,
    send: Send | None = None,
    clock: Clock = timezone.now,
    announce: Announce = asking.send,
) -> Trial:
    """Try the method with `given` and the operator's values, within OUTBOUND_TIMEOUT. Raises nothing of ours."""
    rendering = resolve(method, given, operator, now=clock())
    try:
        _check(method, given, now=rendering.now)
        check_complete(method, rendering)
        announce(sender=Trial, method=method, rendering=rendering)
    except LatchkeyError as error:
        return Trial(method, rendering, error=error)
    return try_out(method, rendering, send=send or within(Deadline(settings.OUTBOUND_TIMEOUT)), clock=clock)


def try_alternatives(
    failed: Trial,
    given: Mapping[str, str],
    operator: Mapping[str, str],
    *,
    send: Send | None = None,
    clock: Clock = timezone.now,
    announce: Announce = asking.send,
) -> Search:
    """Try the other ways to send the request in turn, until one works; all of them within OUTBOUND_TIMEOUT."""
    send = send or within(Deadline(settings.OUTBOUND_TIMEOUT))
    attempts: list[Attempt] = []
    for attempt in _attempts(failed, given, operator, send, clock, announce):
        attempts.append(attempt)
        if is_better(failed, attempt.trial):
            return Search(attempts, attempt)
        if attempt.trial.status is None:  # nothing was sent, or nobody answers: the next would fare no better
            break
    return Search(attempts, None)


def _attempts(
    failed: Trial,
    given: Mapping[str, str],
    operator: Mapping[str, str],
    send: Send,
    clock: Clock,
    announce: Announce,
) -> Iterator[Attempt]:
    for alternative in worth_trying(failed):
        method = with_alternative(failed.method, alternative)
        trial = try_method(method, given, operator, send=send, clock=clock, announce=announce)
        yield Attempt(alternative, trial, method)


def _check(method: Method, given: Mapping[str, str], *, now: datetime) -> None:
    problems = check_given(method, given, now=now)
    if problems:
        titles = {key: method.by_key[key].title if key in method.by_key else key for key in problems}
        what = " ".join(f"{titles[key]}: {problem}" for key, problem in problems.items())
        raise ValidationFailed(what, "Nothing was sent.", "Mend what is filled in, and try again.", fields=problems)


def within(deadline: Deadline) -> Send:
    """Sends until the deadline; behind it a request fails as one that is not answered in time does."""

    def send(request: HttpRequest) -> HttpResponse:
        try:
            left = deadline.remaining()
        except TimeoutError:
            left = 0.0
        if not left:
            raise ProviderUnavailable(
                f"There was no time left for this request: all of them share {deadline.seconds:g} seconds.",
                "The provider answers slowly.",
                "Try again later.",
            )
        return transport.send(request, deadline=left)

    return send
