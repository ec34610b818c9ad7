"""Counts of this process that are still to be added to those of the whole installation."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Series = tuple[str, tuple[str, ...]]  # a metric's name and its labels' values, in the metric's order

# Upper bounds in seconds; what takes longer counts under the last, which has none.
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BOUNDS = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")


@dataclass(frozen=True)
class Metric:
    """Something that is counted: its name on /metrics, what it means, its labels.

    What is `known` of the labels' values is there from the beginning, as 0: Prometheus sees no increase in a series
    that appears with its first count.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    known: tuple[tuple[str, ...], ...] = ()


RENEWALS = Metric(
    "latchkey_renewals", "Token renewals, by connector and by what came of them.", ("connector", "outcome")
)
MINTS = Metric(
    "latchkey_budgeted_mints",
    "Token requests at providers with a mint budget: made within it, or refused because it was spent.",
    ("connector", "result"),
)
API_REQUESTS = Metric("latchkey_api_requests", "Calls of the HTTP API.", ("method", "route", "status"))
WEBHOOK_ATTEMPTS = Metric(
    "latchkey_webhook_attempts",
    "Webhooks sent: delivered, refused (an answer other than 2xx), or unanswered.",
    ("result",),
    known=(("delivered",), ("refused",), ("unanswered",)),
)
WEBHOOKS_FAILED = Metric(
    "latchkey_webhook_deliveries_failed", "Webhook deliveries that were given up.", (), known=((),)
)
MAILS = Metric(
    "latchkey_mails",
    "Mails handed to the mail server: sent, or failed (and tried again).",
    ("result",),
    known=(("sent",), ("failed",)),
)
COUNTERS = (RENEWALS, MINTS, API_REQUESTS, WEBHOOK_ATTEMPTS, WEBHOOKS_FAILED, MAILS)

TOKEN_REQUESTS = Metric(
    "latchkey_token_request_seconds", "How long providers take to answer token requests.", ("connector",)
)
HISTOGRAMS = (TOKEN_REQUESTS,)


class Counts:
    """Adds up until somebody takes it all away; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Series, float] = {}

    def count(self, metric: Metric, *labels: str, by: float = 1.0) -> None:
        self._add((metric.name, labels), by)

    def observe(self, metric: Metric, durations: Sequence[float], *labels: str) -> None:
        """Enter durations, in seconds, into a histogram."""
        for bound, times in Counter(bisect_left(BUCKETS, seconds) for seconds in durations).items():
            self._add((f"{metric.name}_bucket", (*labels, BOUNDS[bound])), times)
        self._add((f"{metric.name}_sum", labels), sum(durations))

    def take(self) -> dict[Series, float]:
        with self._lock:
            taken, self._values = self._values, {}
        return taken

    def put_back(self, taken: Mapping[Series, float]) -> None:
        """What was taken could not be kept."""
        for series, value in taken.items():
            self._add(series, value)

    def _add(self, series: Series, value: float) -> None:
        with self._lock:
            self._values[series] = self._values.get(series, 0.0) + value


counts = Counts()
