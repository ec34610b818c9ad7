"""Server processes for the length of a test run: on loopback, as nobody in particular, gone at the end."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

STARTS_WITHIN = 30.0  # seconds
STOPS_WITHIN = 10.0  # seconds
PR_SET_PDEATHSIG = 1

# Runs a server for as long as it is entered.
Run = Callable[[], AbstractContextManager[None]]


class CannotStart(Exception):
    """A server doesn't run here; the message says why and what to do."""


class Account:
    """Who servers run as: an account without powers when we are root, else ourselves.

    PostgreSQL refuses to run as root, and nothing here needs its powers.
    """

    def __init__(self) -> None:
        self.is_other = os.geteuid() == 0
        self.uid, self.gid = _nobody() if self.is_other else (os.geteuid(), os.getegid())

    @property
    def has_name(self) -> bool:
        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            return False
        return True

    @property
    def temporary(self) -> str | None:
        """Where its temporary files may lie; None: where ours do. Root's own folder can be closed to others."""
        ours = Path(tempfile.gettempdir()).resolve()
        is_open = all(path.stat().st_mode & stat.S_IXOTH for path in (ours, *ours.parents))
        return "/tmp" if self.is_other and not is_open else None  # noqa: S108 - names there are drawn

    def own(self, folder: Path) -> None:
        if self.is_other:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def start(
        self, command: Sequence[str | Path], *, environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; servers are stopped in order afterwards
                user=self.uid if self.is_other else None,
                group=self.gid if self.is_other else None,
                extra_groups=[] if self.is_other else None,
                preexec_fn=die_with_parent,
            )


@contextmanager
def scratch(account: Account, name: str) -> Iterator[Path]:
    """A folder of the account's own, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"latchkey-{name}-", dir=account.temporary))
    try:
        account.own(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(
    account: Account,
    command: Sequence[str | Path],
    *,
    answers: Callable[[], bool],
    log: Path,
    environment: Mapping[str, str] | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Run a server; enter once `answers` says so. Raises CannotStart with the end of its log."""
    process = account.start(command, environment=environment or {"PATH": os.environ.get("PATH", "")}, log=log)
    try:
        _wait(process, answers, log)
        yield
    finally:
        _end(process, stop)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        if answers():
            return
        time.sleep(0.05)
    tail = " / ".join(log.read_text(errors="replace").splitlines()[-3:])
    raise CannotStart(f"it didn't start: {tail or 'it said nothing'}")


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    process.send_signal(stop)
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _nobody() -> tuple[int, int]:
    try:
        account = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return account.pw_uid, account.pw_gid


def die_with_parent() -> None:
    """For `preexec_fn`: after a kill -9 of the test run nothing that it started stays behind. Only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
