"""Steps of a check, one line each, and the summary at the end."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Result(Enum):
    PASSED = "ok"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """How one step went. `remedy` says what would let a skipped step run."""

    name: str
    result: Result
    seconds: float = 0.0
    reason: str = ""
    remedy: str = ""
    output: str = field(default="", repr=False)

    def line(self) -> str:
        text = f"{self.result.value:<8} {self.name:<44} {self.seconds:6.1f} s"
        return f"{text}  {self.reason}" if self.reason else text


@dataclass(frozen=True)
class Step:
    """A command to run; exit code 0 passes."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> Outcome:
        began = time.monotonic()
        done = subprocess.run(
            self.command,
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        result = Result.FAILED if done.returncode else Result.PASSED
        return Outcome(self.name, result, time.monotonic() - began, output=done.stdout)


@dataclass(frozen=True)
class Look:
    """A check made here; it answers with what is wrong, line by line."""

    name: str
    find_faults: Callable[[], Sequence[str]]

    def run(self) -> Outcome:
        began = time.monotonic()
        faults = self.find_faults()
        result = Result.FAILED if faults else Result.PASSED
        return Outcome(self.name, result, time.monotonic() - began, output="\n".join(faults))


@dataclass(frozen=True)
class Skip:
    """A step that can't run here, and why."""

    name: str
    reason: str
    remedy: str

    def run(self) -> Outcome:
        return Outcome(self.name, Result.SKIPPED, reason=self.reason, remedy=self.remedy)


def report(outcome: Outcome) -> None:
    say(outcome.line())
    if outcome.result is Result.FAILED and outcome.output:
        say("\n".join(f"    {line}" for line in outcome.output.rstrip().splitlines()))


def python(*arguments: str) -> list[str]:
    """A command for the interpreter that runs this."""
    return [sys.executable, *arguments]


def say(text: str) -> None:
    print(text, flush=True)
