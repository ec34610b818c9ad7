"""All checks and all tests, against real parts, and a summary that leaves nothing out."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from scripts import linting
from scripts.parts import EMBEDDED, Missing, browser_settings, servers
from scripts.runs import Runs, running
from scripts.steps import Outcome, Result, report, say
from scripts.tally import Tally

ON_EMBEDDED = "tests on SQLite and the embedded broker"
IN_BROWSER = "tests in a browser"
OF_FAULTS = "tests that stop and kill parts"
ON_SERVERS = "tests on PostgreSQL and Redis"
CORES = os.cpu_count() or 1


def main() -> None:
    began = time.monotonic()
    unwind_when_told()
    # Images for containers set it. Here each of many processes would compile, and rewrite for pytest, everything again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="latchkey-results-") as folder:
        tests = Runs(arguments, Path(folder))
        outcomes = run_chosen(tests) if arguments else run_everything(tests)
    sys.exit(conclude(outcomes, tests.tally, time.monotonic() - began))


def run_everything(tests: Runs) -> list[Outcome]:
    """What mostly waits, for a browser or for what was killed, runs beside what computes: every test once."""
    environment = {**browser_settings(), **EMBEDDED}
    with (
        tests.beside(IN_BROWSER, environment, "-m", "browser") as in_browser,
        tests.beside(OF_FAULTS, environment, "-m", "faults") as of_faults,
    ):
        outcomes = linting.run()
        outcomes += run_on_embedded(tests, environment, "-m", "not browser and not faults", workers=CORES)
        outcomes += run_on_servers(tests, environment)
        for others in (in_browser, of_faults):
            outcomes.append(others())
            report(outcomes[-1])
    return outcomes


def run_chosen(tests: Runs) -> list[Outcome]:
    """The tests that the arguments choose, which may have a selection of their own."""
    environment = {**browser_settings(), **EMBEDDED}
    return run_on_embedded(tests, environment, workers=CORES + 1) + run_on_servers(tests, environment)


def run_on_embedded(tests: Runs, environment: Mapping[str, str], *selection: str, workers: int) -> list[Outcome]:
    outcome = tests.run(ON_EMBEDDED, environment, *selection, workers=min(4, workers))
    report(outcome)
    return [outcome]


def run_on_servers(tests: Runs, environment: Mapping[str, str]) -> list[Outcome]:
    # One more worker than there are cores, for tests wait for servers; but not more than these can bear.
    workers = min(4, CORES + 1)
    try:
        with servers() as addresses:
            outcome = tests.run(ON_SERVERS, {**environment, **addresses}, "-m", "both_databases", workers=workers)
    except Missing as missing:
        outcome = Outcome(ON_SERVERS, Result.SKIPPED, reason=missing.reason, remedy=missing.remedy)
    report(outcome)
    return [outcome]


def run_to_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command; its exit code. Interrupted, it lets the command end its own children first."""
    with running(command, environment) as process:
        return process.wait()


def conclude(outcomes: Sequence[Outcome], tally: Tally, seconds: float) -> int:
    """Print what was skipped and what failed, and last the totals; the exit code."""
    say(f"\nSummary, after {seconds:.0f} s")
    for outcome in outcomes:
        say(f"  {outcome.line()}")
        if outcome.remedy:
            say(f"           {outcome.remedy}")
    for reason, count in tally.reasons.most_common():
        say(f"  skipped  {count} x {reason}")
    failed, not_run = (
        [outcome.name for outcome in outcomes if outcome.result is result] for result in (Result.FAILED, Result.SKIPPED)
    )
    if not tally.passed and not tally.failed:
        failed.append("no test ran at all")
    if failed:
        say(f"\nFailed: {'; '.join(failed)}")
    if not_run:
        say(f"\nNot run: {'; '.join(not_run)}")
    say(f"\n{tally.line()}")
    return 1 if failed or tally.failed else 0


def unwind_when_told() -> None:
    """Servers are stopped in `finally`, so whatever ends us must unwind as Ctrl-C does."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, unwind)
    # Shells start what they put into the background deaf to it, and so would be what we start and must interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def unwind(signum: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped before the end.")
