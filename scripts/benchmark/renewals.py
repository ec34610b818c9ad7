"""Renewals: our pipeline beside a bare loop, an afternoon's work, and other libraries' fetches."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from scripts.benchmark import peers
from scripts.benchmark.budget import Budget
from scripts.benchmark.population import Population, populate
from scripts.benchmark.stopwatch import Measured, Way, side_by_side
from scripts.benchmark.surroundings import Surroundings
from scripts.benchmark.table import Row, Section
from scripts.benchmark.worker import Worker
from tenants import schedule
from tenants.carriers import MOST
from tenants.schedule import CHUNK

BARE, OURS, AS_TASKS, AFTERNOON, KEPT = (
    "bare warm requests.Session.post",
    "our renew_chunk",
    "our renew_chunk as Celery tasks",
    "afternoon: a Celery task each, requests.post, save()",
    "the same, connections to the database kept open",
)
REMARK = (
    "CPU and wall time of one renewal; the ratio is how many of them there are for one of the bare loop's, by CPU. The "
    "bare loop stores nothing; ours reads, decrypts, asks through the guard, encrypts, stores and writes history, up "
    f"to {MOST} requests at a time. CPU is the asking process's alone, not PostgreSQL's or the token server's. Others' "
    "libraries trust the usual authorities and the token server's, as they do when told nothing. The afternoon's "
    "pipeline leaves Django and Celery as they come, which open a connection to the database for each task; a second "
    "one is spared that."
)


@dataclass(frozen=True)
class Workers:
    ours: Worker
    afternoon: Worker
    kept: Worker


def renewals(around: Surroundings, workers: Workers, budget: Budget) -> Iterator[Section]:
    """Over http and https, with an endpoint that answers at once and one that takes 50 ms."""
    for scheme, delay in (("http", 0), ("https", 0), ("http", 50), ("https", 50)):
        url = around.token_url(scheme, delay)
        population = populate(f"{scheme}-{delay}", url, budget.chunks * CHUNK)
        ways = list(_ways(workers, budget, population, url, is_slow=delay > 0))
        measured = side_by_side(ways, rounds=budget.rounds, warm_up=2)
        remark = REMARK if (scheme, delay) == ("http", 0) else "Read as above."
        title = f"Renewal over {scheme}, the endpoint takes {delay} ms"
        yield Section(title, remark, list(_rows(measured, scheme, is_slow=delay > 0)))


def _ways(workers: Workers, budget: Budget, population: Population, url: str, *, is_slow: bool) -> Iterator[Way]:
    many = budget.chunks * CHUNK
    few = max(2, many // 40)

    def ours(times: int) -> None:
        while schedule.renew_chunk().claimed:
            pass

    yield Way(BARE, peers.bare(url), few if is_slow else many)
    yield Way(OURS, ours, many, population.make_due)
    worker = workers.ours
    yield Way(AS_TASKS, lambda times: worker.renew(population, times), many, population.make_due, worker.cpu)
    if is_slow:
        return
    for name, other in ((AFTERNOON, workers.afternoon), (KEPT, workers.kept)):
        one_by_one = partial(_one_by_one, other, population, url)
        yield Way(name, one_by_one, few * 2, population.make_due, other.cpu)
    for name, fetch in (("Authlib", peers.authlib), ("requests-oauthlib", peers.requests_oauthlib)):
        yield Way(f"{name} fetch_token, a new session each", fetch(url, is_kept=False), few)
        yield Way(f"{name} fetch_token, one session", fetch(url, is_kept=True), few * 2)


def _one_by_one(worker: Worker, population: Population, url: str, times: int) -> None:
    worker.renew_one_by_one(population, times, url)


def _rows(measured: Measured, scheme: str, *, is_slow: bool) -> Iterator[Row]:
    for name in measured.rounds:
        cost = measured.typical(name)
        figure = f"{cost.cpu:,.0f} µs CPU, {cost.wall:,.0f} µs"
        ratio = 1 / measured.ratio(name, BARE).cpu
        # With 50 ms the bare loop's CPU is the cost of waking up as well; goals are for an endpoint that is quick.
        wants = name in (OURS, AS_TASKS) and not is_slow
        yield Row(name, figure, ratio, "≥ 4" if wants else "", ratio >= 4 if wants else None)
    if AFTERNOON in measured.rounds:
        wanted = 25 if scheme == "http" else 100
        times = measured.ratio(AFTERNOON, AS_TASKS).cpu
        yield Row("ours for one of the afternoon's, both as Celery tasks", "", times, f"≥ {wanted}", times >= wanted)
        yield Row("ours for one of those with kept connections", "", measured.ratio(KEPT, AS_TASKS).cpu)
