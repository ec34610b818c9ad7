"""One child process: its start, its output, its end."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Write = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """A Python module to run, and the name that people read for it."""

    name: str
    module: str
    arguments: Sequence[str] = ()


class Child:
    """A running program in a process group of its own, whose output is passed on line by line."""

    def __init__(
        self, program: Program, *, lifeline: int, folder: Path, environment: Mapping[str, str], write: Write
    ) -> None:
        self.program = program
        self._write = write
        command = [sys.executable, "-m", "config.lifeline", str(lifeline), program.module, *program.arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own modules
            command,
            cwd=folder,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(lifeline,),
            # Ctrl-C in a terminal goes to the whole foreground group; here the supervisor alone decides.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._pass_on, name=f"output of {program.name}", daemon=True)
        try:
            self._reader.start()
        except RuntimeError:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        if self.exit_code() is None:
            self._process.send_signal(signal.SIGTERM)

    def sweep(self) -> None:
        """Kill whatever of its process group still lives, and collect it."""
        with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=1)

    def _pass_on(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: a pipe was asked for
        with self._process.stdout as lines:
            for line in lines:
                self._write(line.decode(errors="replace").rstrip())
