"""Keeps several programs running until it is told to stop, then leaves no process behind."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config.child import Child, Program, Write

LOOK_EVERY = 0.1  # seconds
STOP_WITHIN = 10.0  # seconds
FIRST_DELAY = 0.5  # seconds before the first restart; doubled with each crash in a row
LONGEST_DELAY = 30.0  # seconds
STEADY_AFTER = 30.0  # seconds of life after which earlier crashes are forgotten
MANY_CRASHES = 5


@dataclass
class _Post:
    """A program's place: the child that fills it, and what became of those before."""

    program: Program
    child: Child | None = None
    started: float = 0.0
    start_at: float = 0.0
    crashes: int = 0


class Supervisor:
    """Starts programs, restarts those that end, passes on what they write, and stops them all."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        folder: Path,
        environment: Mapping[str, str],
        write: Write,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._posts = [_Post(program) for program in programs]
        self._folder = folder
        self._environment = environment
        self._write = write
        self._clock = clock
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        # Children hold the reading end; the writing end closes with this process, however it ends.
        self._lifeline, self._hold = os.pipe()

    def stop(self, signum: int = signal.SIGTERM, frame: FrameType | None = None) -> None:
        """Ask for the end, as a signal handler or otherwise; asked twice, it doesn't wait for anyone."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self, when_started: Callable[[], bool] = lambda: True) -> None:
        """Run until `stop()`. `when_started` is called again and again until it answers True."""
        started = False
        try:
            while not self._stopping.wait(LOOK_EVERY):
                for post in self._posts:
                    self._look_after(post)
                started = started or when_started()
        finally:
            self._end_all([post.child for post in self._posts if post.child])

    def run_once(self, program: Program, *, write: Write | None = None) -> bool:
        """Run a program to its end; True if it succeeded and nobody asked to stop. `write` gets its bare lines."""
        child = self._start(program, write=write)
        while child.exit_code() is None and not self._stopping.wait(LOOK_EVERY / 2):
            pass
        if self._stopping.is_set():
            self._end_all([child])
            return False
        child.sweep()
        return child.exit_code() == 0

    def _start(self, program: Program, *, write: Write | None = None) -> Child:
        def under_its_name(line: str) -> None:
            self._write(f"{program.name:<6} | {line}")

        return Child(
            program,
            lifeline=self._lifeline,
            folder=self._folder,
            environment=self._environment,
            write=write or under_its_name,
        )

    def _look_after(self, post: _Post) -> None:
        if post.child is None:
            if self._clock() >= post.start_at:
                self._fill(post)
            return
        code = post.child.exit_code()
        if code is not None:
            post.child.sweep()
            post.child = None
            self._plan_restart(post, f"ended unexpectedly ({_how(code)})")

    def _fill(self, post: _Post) -> None:
        post.started = self._clock()
        try:
            post.child = self._start(post.program)
        except (OSError, RuntimeError) as error:  # no memory, no process, no file left; RuntimeError: no thread
            why = (error.strerror if isinstance(error, OSError) else "") or error
            self._plan_restart(post, f"could not be started ({why})")

    def _plan_restart(self, post: _Post, what_happened: str) -> None:
        steady = self._clock() - post.started >= STEADY_AFTER
        post.crashes = 1 if steady else post.crashes + 1
        delay = min(FIRST_DELAY * 2 ** (post.crashes - 1), LONGEST_DELAY)
        post.start_at = self._clock() + delay
        name = post.program.name
        self._write(f"{name} {what_happened}; starting it again in {delay:g} s.")
        if post.crashes == MANY_CRASHES:
            self._write(
                f"{name} has now failed {MANY_CRASHES} times in a row. The lines above that begin with '{name}' "
                f"say why. It is tried again every {LONGEST_DELAY:g} s at most; stop with Ctrl-C."
            )

    def _end_all(self, children: Sequence[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        deadline = self._clock() + STOP_WITHIN
        while any(child.exit_code() is None for child in children) and self._clock() < deadline:
            if self._hurry.wait(LOOK_EVERY / 2):
                break
        for child in children:
            if child.exit_code() is None:
                self._write(f"{child.program.name} didn't stop in time and was killed.")
            child.sweep()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
