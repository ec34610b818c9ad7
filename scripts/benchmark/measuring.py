"""The process that measures: Django is set up, PostgreSQL and Redis are named in the environment."""

import argparse
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence

from django.db import connection

from scripts.benchmark import day, documents, machine, table
from scripts.benchmark.budget import FULL, QUICK, TINY, Budget
from scripts.benchmark.counts import counts
from scripts.benchmark.memory import memory
from scripts.benchmark.population import populate
from scripts.benchmark.reads import reads
from scripts.benchmark.renewals import Workers, renewals
from scripts.benchmark.scale import plans, scale
from scripts.benchmark.surroundings import Surroundings
from scripts.benchmark.table import Section
from scripts.benchmark.worker import AFTERNOON, AFTERNOON_KEPT, OURS, worker
from scripts.steps import ROOT, say

BUDGETS = {"full": FULL, "quick": QUICK, "tiny": TINY}
MEMORY_SHARE = 0.3  # of the time


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--budget", choices=BUDGETS, default="full")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--day", type=int, default=0, metavar="INSTANCES")
    options = parser.parse_args(arguments)
    # A line for each API call would drown the table, and what writing it costs depends on the terminal.
    logging.disable(logging.INFO)
    # In a database of its own on the given server, as tests have.
    connection.settings_dict["TEST"]["NAME"] = name = f"latchkey_bench_{os.getpid()}"
    usual = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        os.environ["DATABASE_URL"] = _of_database(os.environ["DATABASE_URL"], name)
        _measure(options)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)  # who started this says so
    finally:
        connection.close()  # it may have been interrupted half-way through anything
        connection.creation.destroy_test_db(usual, verbosity=0)


def _measure(options: argparse.Namespace) -> None:
    if options.day:
        say(day.simulated(options.day))
        return
    ends = time.monotonic() + options.seconds
    sections = list(_sections(BUDGETS[options.budget], ends))
    stated = [*machine.stated(_version()), f"Budget: {options.budget}; others used the machine if its load exceeds 3"]
    say(table.text(sections, stated))
    if options.plans:
        for title, plan in plans():
            say(f"{title}\n{plan}\n")
    if options.write_docs:
        for path in documents.written(sections, stated, ROOT / "docs"):
            say(f"Written: {path.relative_to(ROOT)}")


def _sections(budget: Budget, ends: float) -> Iterator[Section]:
    around = Surroundings.of_environment()
    yield _told(counts(around))
    with worker(OURS) as ours, worker(AFTERNOON) as afternoon, worker(AFTERNOON_KEPT) as kept:
        # As our workers do once they are ready.
        gc.collect()
        gc.freeze()
        for section in renewals(around, Workers(ours, afternoon, kept), budget):
            yield _told(section)
        for section in reads(populate("reads", around.token_url("http", 0), 300), budget):
            yield _told(section)
    # Of its own: the other has the afternoon's code and libraries in its memory too.
    with worker() as one:
        left = ends - time.monotonic()
        yield _told(memory(around, one, budget, until=time.monotonic() + left * MEMORY_SHARE * 2))
    yield _told(scale(budget))


def _told(section: Section) -> Section:
    say(f"… {section.title}")
    return section


def _version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


def _of_database(url: str, name: str) -> str:
    server, _, _ = url.rpartition("/")
    return f"{server}/{name}"
