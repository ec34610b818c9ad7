"""A day of many instances with hourly tokens, at speed: the real schedule, database and threads, another clock."""

import json
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from statistics import mean

from connectors.oauth2.http import Headers, HttpRequest, HttpResponse
from scripts.benchmark.population import populate
from scripts.steps import say
from tenants import database_time, schedule
from tenants.models import Event, Token

TICK = timedelta(seconds=30)
DAY = timedelta(days=1)
JSON = Headers((("Content-Type", "application/json"),))


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Provider:
    """Answers at once, with a token that lives an hour, and counts."""

    def __init__(self) -> None:
        self.minted = 0
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with self._lock:
            self.minted += 1
            number = self.minted
        body = {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 3600}
        return HttpResponse(200, JSON, json.dumps(body).encode())


def simulated(count: int, *, length: timedelta = DAY) -> str:
    """What came of it. All tokens are bought at the same moment, which is the hardest case for the schedule."""
    began, provider = time.monotonic(), Provider()
    population = populate("day", "https://auth.example.com/token", count)
    start = database_time.now()
    clock = Clock(start)
    Token.objects.filter(pk__in=population.pks).update(
        issued_at=start, renewed_at=start, expires_at=start + timedelta(hours=1), refresh_at=start
    )
    by_minute: Counter[int] = Counter()
    missed = renewed = 0
    while clock.now < start + length:
        while (tally := schedule.renew_chunk(send=provider, clock=clock)).claimed:
            renewed += tally.renewed
            by_minute[int((clock.now - start).total_seconds() // 60)] += tally.renewed
        missed += Token.objects.filter(expires_at__lte=clock.now).count()
        clock.now += TICK
        if int((clock.now - start).total_seconds()) % 7200 == 0:
            say(f"… {(clock.now - start)} in {time.monotonic() - began:.0f} s: {renewed:,} renewals")
    return _report(count, provider.minted, renewed, missed, by_minute, time.monotonic() - began)


def _report(count: int, minted: int, renewed: int, missed: int, by_minute: Counter[int], seconds: float) -> str:
    last = max(by_minute)
    # The first minute is the moment at which all were bought.
    first = [by_minute[minute] for minute in range(1, min(last, 120) + 1)]
    later = [by_minute[minute] for minute in range(last // 2, last + 1)]
    lines = [
        f"{count:,} instances, tokens of an hour, all bought in the same moment",
        f"  simulated        {last / 60:.1f} hours in {seconds:.0f} s",
        f"  mints            {minted:,}, {minted / count:.1f} for each instance",
        f"  renewals kept    {renewed:,}",
        f"  in the history   {Event.objects.filter(kind=Event.Kind.RENEWED).count():,}",
        f"  misses           {missed:,} (tokens seen dead at a tick)",
        f"  first two hours  {_rates(first)}",
        f"  second half      {_rates(later)}",
    ]
    return "\n".join(lines)


def _rates(minutes: list[int]) -> str:
    if not minutes or not any(minutes):
        return "nothing"
    return (
        f"{mean(minutes):,.0f} a minute on average, {max(minutes):,} at most ({max(minutes) / mean(minutes):.2f} times)"
    )
