"""Whether, and when, a request that an API was too busy for is made again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import SystemRandom

import requests

from connectors.oauth2.http import Headers
from connectors.oauth2.response import retry_after

_BUSY = frozenset({429, 503})
# RFC 9110 section 9.2.2: doing it twice is doing it once.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_FIRST_BACKOFF = 1.0  # seconds; doubled each time


@dataclass(frozen=True)
class Retries:
    """How often, and for how long, an API that is busy (429, 503) is asked again.

    `count`: further attempts for one request; `max_wait`: seconds for all of its waits together. A `Retry-After` that
    goes beyond is not waited for: the caller has the answer, and knows better what to do meanwhile.
    """

    count: int = 2
    max_wait: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = SystemRandom().uniform

    def __post_init__(self) -> None:
        if self.count < 0 or self.max_wait < 0:
            raise ValueError(
                "`retries` and `max_wait` can't be negative. 0 switches off that a busy API is asked again."
            )

    def wait(self, response: requests.Response, waited: Sequence[float]) -> float | None:
        """Seconds to wait before the request is made again, after these waits; None: it is not to be."""
        if response.status_code not in _BUSY or len(waited) >= self.count:
            return None
        seconds = retry_after(Headers(tuple(response.headers.items())), datetime.now(UTC))
        if seconds is None:
            # An API that says when to come again has done nothing yet; one that is silent may have.
            if response.request.method not in _IDEMPOTENT:
                return None
            seconds = self.uniform(0.5, 1.0) * _FIRST_BACKOFF * 2 ** len(waited)
        return seconds if sum(waited) + seconds <= self.max_wait else None
