"""What a worker keeps in memory after very many renewals."""

import subprocess
import sys
import time

from scripts.benchmark.budget import Budget
from scripts.benchmark.population import populate
from scripts.benchmark.surroundings import Surroundings
from scripts.benchmark.table import Row, Section
from scripts.benchmark.worker import Worker
from scripts.steps import ROOT
from tenants.schedule import CHUNK

REMARK = (
    "Resident memory of a Celery worker that did nothing else; the ratio is to a process that only set Django up and "
    "read its addresses, without Celery. Flat means: at most a twentieth more in the second half."
)
_IDLE = (
    "import django; django.setup(); from pathlib import Path; from django.urls import get_resolver; "
    "get_resolver().url_patterns; "
    "print(Path('/proc/self/status').read_text().partition('VmRSS:')[2].split()[0])"
)


def memory(around: Surroundings, worker: Worker, budget: Budget, *, until: float) -> Section:
    """Renewals through the worker, as many as the budget says or as can be made `until` then (`time.monotonic`)."""
    idle = int(subprocess.run([sys.executable, "-c", _IDLE], cwd=ROOT, capture_output=True, check=True).stdout) * 1024
    population = populate("memory", around.token_url("http", 0), 10 * CHUNK)
    each = min(10 * CHUNK, budget.memory)
    sizes: list[int] = []
    done = 0
    while done < budget.memory and (time.monotonic() < until or len(sizes) < 2):
        population.make_due(each)
        worker.renew(population, each)
        done += each
        sizes.append(worker.resident())
    middle, last = sizes[len(sizes) // 2], sizes[-1]
    growth = last / middle
    named = "" if done >= budget.memory else f" (of {budget.memory:,}: the time was up)"
    return Section(
        "Memory",
        REMARK,
        [
            Row("idle Django process", _megabytes(idle), 1.0),
            Row(f"worker after {done:,} renewals{named}", _megabytes(last), last / idle, "≤ 1.5", last <= 1.5 * idle),
            Row("the same, for one half-way", _megabytes(middle), growth, "flat", growth <= 1.05),
        ],
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
