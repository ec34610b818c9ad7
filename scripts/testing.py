"""All checks and all tests, against real parts, and a summary that leaves nothing out."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from scripts import linting
from scripts.parts import EMBEDDED, Missing, browser_settings, servers
from scripts.steps import ROOT, Outcome, Result, python, report, say
from scripts.tally import Tally

NOTHING_SELECTED = 5  # pytest's exit code
CLEARS_UP_WITHIN = 20.0  # seconds
ON_EMBEDDED = "tests on SQLite and the embedded broker"
ON_SERVERS = "tests on PostgreSQL and Redis"


class Runs:
    """Runs pytest, once for each set of real parts."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._arguments = arguments
        self._folder = folder
        self.tally = Tally()

    def run(self, name: str, environment: Mapping[str, str], *selection: str) -> Outcome:
        say(f"\n{name}")
        results = self._folder / f"{len(list(self._folder.iterdir()))}.xml"
        # One more than there are cores, for tests wait for servers; but not more than these can bear.
        options = ("-q", "--no-header", "-n", str(min(4, (os.cpu_count() or 1) + 1)), f"--junitxml={results}")
        began = time.monotonic()
        code = run_to_end(python("-m", "pytest", *options, *selection, *self._arguments), environment)
        return self._judge(name, code, self.tally.add(results), time.monotonic() - began)

    def _judge(self, name: str, code: int, ran: int, seconds: float) -> Outcome:
        if code == NOTHING_SELECTED and self._arguments:
            return Outcome(name, Result.SKIPPED, seconds, "no test here matches the arguments", "Choose others.")
        if code in (0, NOTHING_SELECTED) and not ran:
            return Outcome(name, Result.FAILED, seconds, "not one test ran")
        return Outcome(name, Result.FAILED if code else Result.PASSED, seconds)


def main() -> None:
    began = time.monotonic()
    # Servers are stopped in `finally`, so these must unwind as Ctrl-C does.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, unwind)
    arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="latchkey-results-") as folder:
        tests = Runs(arguments, Path(folder))
        outcomes = [] if arguments else linting.run()
        outcomes += run_tests(tests)
    sys.exit(conclude(outcomes, tests.tally, time.monotonic() - began))


def run_tests(tests: Runs) -> list[Outcome]:
    browser = browser_settings()
    outcomes = [tests.run(ON_EMBEDDED, {**browser, **EMBEDDED})]
    report(outcomes[-1])
    try:
        with servers() as addresses:
            outcomes.append(tests.run(ON_SERVERS, {**browser, **addresses}, "-m", "both_databases"))
    except Missing as missing:
        outcomes.append(Outcome(ON_SERVERS, Result.SKIPPED, reason=missing.reason, remedy=missing.remedy))
    report(outcomes[-1])
    return outcomes


def run_to_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command; its exit code. Interrupted, it lets the command end its own children first."""
    # In a session of its own, for a Ctrl-C that reached it twice would break off its clearing up.
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            return process.wait()
        except BaseException:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(CLEARS_UP_WITHIN)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def conclude(outcomes: Sequence[Outcome], tally: Tally, seconds: float) -> int:
    """Print what was skipped and what failed, and last the totals; the exit code."""
    say(f"\nSummary, after {seconds:.0f} s")
    for outcome in outcomes:
        say(f"  {outcome.line()}")
        if outcome.remedy:
            say(f"           {outcome.remedy}")
    for reason, count in tally.reasons.most_common():
        say(f"  skipped  {count} x {reason}")
    failed = [outcome.name for outcome in outcomes if outcome.result is Result.FAILED]
    if not tally.passed and not tally.failed:
        failed.append("no test ran at all")
    if failed:
        say(f"\nFailed: {'; '.join(failed)}")
    say(f"\n{tally.line()}")
    return 1 if failed or tally.failed else 0


def unwind(signum: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped before the end.")
