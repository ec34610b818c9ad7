"""A Celery worker in a process of its own, and what it has used so far."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark.afternoon import renew_one
from scripts.benchmark.population import Population
from scripts.benchmark.stopwatch import cpu_of
from scripts.steps import ROOT
from tenants import tasks
from tenants.schedule import CHUNK

PATIENCE = 120.0  # seconds for a round

# Settings, by the way of working.
OURS, AFTERNOON, AFTERNOON_KEPT = (
    f"scripts.benchmark.{name}" for name in ("settings", "afternoon_settings", "afternoon_kept_settings")
)


class TooSlow(Exception):
    """The worker didn't come to an end in time; its last words."""


@dataclass(frozen=True)
class Worker:
    process: subprocess.Popen[bytes]
    log: Path
    queue: str

    def cpu(self) -> float:
        return cpu_of(self.process.pid)

    def resident(self) -> int:
        """Memory in use, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def renew(self, population: Population, times: int) -> None:
        """Our pipeline: a message for each chunk."""
        for _ in range(-(-times // CHUNK)):
            tasks.renew_chunk.apply_async(queue=self.queue)
        self._wait(population)

    def renew_one_by_one(self, population: Population, times: int, url: str) -> None:
        """The afternoon's pipeline: a message for each token."""
        for pk in population.pks[:times]:
            renew_one.apply_async(args=(str(pk), url), queue=self.queue)
        self._wait(population)

    def _wait(self, population: Population) -> None:
        ends = time.monotonic() + PATIENCE
        while population.is_due():
            if time.monotonic() > ends or self.process.poll() is not None:
                raise TooSlow(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.02)


@contextmanager
def worker(settings: str = OURS) -> Iterator[Worker]:
    """One process without children, which does one task at a time, in its own queue and under these settings."""
    with tempfile.TemporaryDirectory(prefix="latchkey-worker-") as folder:
        log = Path(folder) / "log"
        options = ("--pool=solo", "--without-gossip", "--without-mingle", "--loglevel=WARNING")
        own = ("-Q", settings, "-I", "scripts.benchmark.afternoon")
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings}
        command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", *options, *own]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield Worker(process, log, queue=settings)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
