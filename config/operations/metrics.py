"""The numbers of the installation as a whole, whichever process is asked: all of them come from the database.

What a scrape costs is bounded: whoever asks within a few seconds gets the same answer, one at a time works it out, and
the one number that means reading all instances (how many have which status) is worked out at most once a minute.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import accumulate
from typing import Generic, TypeVar

from django.db import Error, connection, transaction
from django.db.models import Count
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from config.operations.counts import BOUNDS, COUNTERS, HISTOGRAMS
from config.operations.messages import COUNTED_AT_MOST, of_messages
from config.operations.models import Heartbeat, Sample
from config.operations.readiness import LATE_AFTER
from connectors.models import Connector
from tenants import database_time
from tenants.models import Endpoint, Instance, Token

REMEMBERED = 5.0  # seconds
STATUSES_REMEMBERED = 60.0  # seconds
PATIENCE = 8.0  # seconds: Prometheus itself gives up after 10

Value = TypeVar("Value")


class Unmeasurable(Exception):
    """The database did not answer, or not in time."""


class Remembered(Generic[Value]):
    """Something that is worked out by one caller at a time, and then holds for some seconds."""

    def __init__(self, work_out: Callable[[], Value], seconds: float, *, steady: Callable[[], float] = time.monotonic):
        self._work_out = work_out
        self._seconds = seconds
        self._steady = steady
        self._lock = threading.Lock()
        self._known: tuple[Value, float] | None = None

    def __call__(self) -> Value:
        """Raises `Unmeasurable`."""
        if not self._lock.acquire(timeout=PATIENCE):
            raise Unmeasurable("another request still waits for the database")
        try:
            if self._known is None or self._steady() - self._known[1] >= self._seconds:
                self._known = self._work_out(), self._steady()
            return self._known[0]
        finally:
            self._lock.release()


def by_status() -> list[tuple[str, str, int]]:
    """How many instances of which connector (by key) have which status."""
    keys = dict(Connector.objects.values_list("pk", "key"))
    rows = Instance.objects.order_by().values_list("connector", "status").annotate(Count("pk"))
    return [(keys.get(pk, ""), status, count) for pk, status, count in rows]


_statuses = Remembered(by_status, STATUSES_REMEMBERED)


def work_out(statuses: Callable[[], list[tuple[str, str, int]]] = _statuses) -> list[Metric]:
    """Everything there is to say. Raises `Unmeasurable`."""
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{PATIENCE:g}s"])
            return [*_counted(), _of_statuses(statuses()), *_of_schedule(), *of_messages(), *_of_parts()]
    except Error as error:
        trouble = type(error).__name__
    raise Unmeasurable(trouble)


class _Given(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


_everything = Remembered(work_out, REMEMBERED)


def snapshot(everything: Callable[[], list[Metric]] = _everything) -> CollectorRegistry:
    """What is known, as `prometheus_client` writes it. Raises `Unmeasurable`."""
    registry = CollectorRegistry()
    registry.register(_Given(everything()))
    return registry


def _counted() -> Iterator[Metric]:
    by_name: dict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    for series, value in Sample.objects.order_by("series").values_list("series", "value"):
        name, *labels = json.loads(series)
        by_name[name][tuple(labels)] = value
    for metric in COUNTERS:
        family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, value in {**dict.fromkeys(metric.known, 0.0), **by_name[metric.name]}.items():
            family.add_metric(labels, value)
        yield family
    for metric in HISTOGRAMS:
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        in_buckets = by_name[f"{metric.name}_bucket"]
        for labels, total in by_name[f"{metric.name}_sum"].items():
            running = accumulate(in_buckets.get((*labels, bound), 0.0) for bound in BOUNDS)
            histogram.add_metric(labels, list(zip(BOUNDS, running, strict=True)), total)
        yield histogram


def _of_statuses(rows: list[tuple[str, str, int]]) -> Metric:
    family = GaugeMetricFamily(
        "latchkey_instances", "Instances, by connector and status; up to a minute old.", labels=("connector", "status")
    )
    for connector, status, count in rows:
        family.add_metric((connector, status), count)
    return family


def _of_schedule() -> Iterator[Metric]:
    now = database_time.now()
    closed = list(Endpoint.objects.closed().values_list("origin", flat=True))
    past = Token.objects.due(now)
    due = past.exclude(endpoint__in=closed) if closed else past
    first = due.values_list("refresh_at", flat=True).first()
    overdue = max(now - first, timedelta()).total_seconds() if first else 0.0
    waiting = past.filter(endpoint__in=closed).order_by()[:COUNTED_AT_MOST].count() if closed else 0
    yield GaugeMetricFamily(
        "latchkey_tokens_due",
        f"Tokens whose renewal is due and not begun; counted up to {COUNTED_AT_MOST}.",
        due.order_by()[:COUNTED_AT_MOST].count(),
    )
    yield GaugeMetricFamily("latchkey_oldest_overdue_seconds", "For how long the first of them is due.", overdue)
    yield GaugeMetricFamily("latchkey_tokens_waiting", "Tokens due at endpoints that are closed.", waiting)
    yield GaugeMetricFamily("latchkey_endpoints_closed", "Token endpoints that are only probed just now.", len(closed))


def _of_parts() -> Iterator[Metric]:
    now = database_time.now()
    rows = list(Heartbeat.objects.values_list("part", "at"))
    ages = {part: min((now - at).total_seconds() for one, at in rows if one == part) for part, _ in rows}
    family = GaugeMetricFamily(
        "latchkey_heartbeat_age_seconds", "Since the scheduler, a tick, a worker was last heard from.", labels=("part",)
    )
    for part, age in ages.items():
        family.add_metric((part,), max(age, 0.0))
    yield family
    alive = sum(part == Heartbeat.Part.WORKER and (now - at).total_seconds() <= LATE_AFTER for part, at in rows)
    yield GaugeMetricFamily("latchkey_workers", "Worker processes heard from lately.", alive)
