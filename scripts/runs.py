"""Runs of pytest: one at a time in the foreground, and beside it some that mostly wait."""

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from scripts.steps import ROOT, Outcome, Result, python, say
from scripts.tally import Tally

NOTHING_SELECTED = 5  # pytest's exit code
CLEARS_UP_WITHIN = 20.0  # seconds


class Runs:
    """Runs pytest with the same arguments, and counts what it ran."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._arguments = arguments
        self._folder = folder
        self._numbers = itertools.count()
        self.tally = Tally()

    def run(self, name: str, environment: Mapping[str, str], *selection: str, workers: int) -> Outcome:
        say(f"\n{name}")
        results, began = self._results(), time.monotonic()
        with running(self._command(results, workers, selection), environment) as process:
            code = process.wait()
        return self._judge(name, code, self.tally.add(results), time.monotonic() - began)

    @contextmanager
    def beside(self, name: str, environment: Mapping[str, str], *selection: str) -> Iterator[Callable[[], Outcome]]:
        """Run tests beside others; call what is yielded to wait for them, and to see what they wrote."""
        results, began = self._results(), time.time()
        written = results.with_suffix(".txt")
        with (
            written.open("wb") as output,
            running(self._command(results, 0, selection), environment, output.fileno()) as process,
        ):

            def outcome() -> Outcome:
                code = process.wait()
                seconds = written.stat().st_mtime - began  # it may have ended long ago
                say(f"\n{name}\n{written.read_text(errors='replace').rstrip()}")
                skipped = self.tally.skipped
                ran = self.tally.add(results)
                if not code and not ran and self.tally.skipped > skipped:
                    return Outcome(name, Result.SKIPPED, seconds, "none of it can run here; below stands why")
                return self._judge(name, code, ran, seconds)

            yield outcome

    def _results(self) -> Path:
        return self._folder / f"{next(self._numbers)}.xml"

    def _command(self, results: Path, workers: int, selection: Sequence[str]) -> list[str]:
        options = ("-q", "--no-header", "-n", str(workers), f"--junitxml={results}")
        return python("-m", "pytest", *options, *selection, *self._arguments)

    def _judge(self, name: str, code: int, ran: int, seconds: float) -> Outcome:
        if code == NOTHING_SELECTED and self._arguments:
            return Outcome(name, Result.SKIPPED, seconds, "no test here matches the arguments", "Choose others.")
        if code in (0, NOTHING_SELECTED) and not ran:
            return Outcome(name, Result.FAILED, seconds, "not one test ran")
        return Outcome(name, Result.FAILED if code else Result.PASSED, seconds)


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], output: int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process; interrupted, it may end its own children first."""
    # In a session of its own, for a Ctrl-C that reached it twice would break off its clearing up.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(CLEARS_UP_WITHIN)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
