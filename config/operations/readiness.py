"""Can the installation do its work? Each part is asked in a thread of its own: none can hold back the answer."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery import Celery
from django.conf import settings
from django.db import connection

from config.celery import app
from config.operations.models import Heartbeat
from tenants import database_time

WITHIN = 3.0  # seconds for all parts together
LATE_AFTER = 30.0  # seconds without a sign of life

Ages = Mapping[str, float]  # seconds since the last sign of life, by part


@dataclass(frozen=True)
class Finding:
    """What became of asking one part. `value` is what it answered; `trouble` is for a log, not for strangers."""

    value: Any = None
    trouble: str = ""
    took: float | None = None  # seconds; None: no answer in time


class Question:
    """Something to ask of a part. While an answer is outstanding nobody asks again: all wait for the same one."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._pending: Future[Finding] | None = None

    def put(self) -> Future[Finding]:
        with self._lock:
            if self._pending is None or self._pending.done():
                self._pending = Future()
                # A daemon: one that hangs for ever must not keep the process from ending.
                threading.Thread(target=self._answer, args=(self._pending,), name="readiness", daemon=True).start()
            return self._pending

    def _answer(self, pending: "Future[Finding]") -> None:
        start = time.perf_counter()
        try:
            value, trouble = self._ask(), ""
        except Exception as error:
            value, trouble = None, type(error).__name__
        pending.set_result(Finding(value, trouble, time.perf_counter() - start))


def ask_database() -> Ages:
    """How long ago each part was heard from."""
    try:
        now = database_time.now()
        latest: dict[str, datetime] = {}
        for part, at in Heartbeat.objects.order_by("at").values_list("part", "at"):
            latest[part] = at
        return {part: max((now - at).total_seconds(), 0.0) for part, at in latest.items()}
    finally:
        connection.close()  # the thread ends, and its connection with it


def ask_broker(celery: Celery = app) -> None:
    """Raise what connecting raises; Redis is sent a PING."""
    if settings.EMBEDDED_BROKER:
        folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError
        return
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "socket_timeout": WITHIN, "socket_connect_timeout": WITHIN}
    with celery.connection_for_write(transport_options=options) as link:
        link.connect()


@dataclass(frozen=True)
class Check:
    """One part's line of the answer."""

    ok: bool
    detail: str
    took_ms: float | None = None
    seconds_ago: float | None = None


DATABASE = Question(ask_database)
BROKER = Question(ask_broker)


def look(
    *, database: Question = DATABASE, broker: Question = BROKER, within: float = WITHIN
) -> tuple[dict[str, Check], dict[str, str]]:
    """The parts' checks by name, and by name what a log may say of their trouble. Takes `within` seconds at most."""
    asked = {"database": database.put(), "broker": broker.put()}
    wait(asked.values(), timeout=within)
    found = {name: one.result() if one.done() else Finding(trouble="no answer in time") for name, one in asked.items()}
    checks = {name: _answered(finding, within) for name, finding in found.items()}
    ages: Ages | None = found["database"].value
    checks["worker"] = _heard(ages, Heartbeat.Part.WORKER, LATE_AFTER)
    checks["beat"] = _heard(ages, Heartbeat.Part.BEAT, LATE_AFTER + 2 * settings.RENEWAL_TICK)
    return checks, {name: finding.trouble for name, finding in found.items() if finding.trouble}


def _answered(finding: Finding, within: float) -> Check:
    if finding.took is None:
        return Check(False, f"No answer within {within:g} seconds.")
    took = round(finding.took * 1000, 1)
    return Check(False, "It can't be used; the log says more.", took) if finding.trouble else Check(True, "", took)


def _heard(ages: Ages | None, part: str, late_after: float) -> Check:
    if ages is None:
        return Check(False, "Unknown: the database has not answered.")
    if part not in ages:
        return Check(False, "Never heard from.")
    ago = round(ages[part], 1)
    late = f"Last heard from {ago:g} seconds ago; {late_after:g} are too many."
    return Check(ago <= late_after, "" if ago <= late_after else late, seconds_ago=ago)
