"""Make .venv and install requirements.lock into it, unless that was done before. Needs nothing but Python itself.

A .venv that someone else made, or a link to one, is used as it is if it holds everything, and never remade.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OURS = VENV / ".made-by-scripts"
STAMP = VENV / ".installed-lock"
INSTALLING = "installing"


class CannotInstall(Exception):
    """What happened, why, and what to do next."""


def main() -> None:
    if not is_current():
        with one_at_a_time():
            if not is_current():
                install()


def is_ours() -> bool:
    return OURS.exists() and not VENV.is_symlink()


def is_current() -> bool:
    """Is what the lock file names installed, and does the interpreter still run?"""
    if is_ours():
        return last_step() == digest() and runs()
    return runs() and holds_everything()


def install() -> None:
    if is_ours() or not VENV.exists() or not any(VENV.iterdir()):
        make_environment()
    elif not runs():
        raise CannotInstall(
            f"{VENV} is there, but holds no working Python 3.11 or newer, and it wasn't made by these scripts. "
            "Mend it with the tool that made it, or remove it and run this again."
        )
    say(f"Installing what requirements.lock names into {VENV.resolve()} …")
    install_lock()
    if is_ours():
        STAMP.write_text(digest())


def make_environment() -> None:
    """Leave a .venv of ours that works; one that was interrupted half-way is made anew."""
    if last_step() not in ("", INSTALLING) and runs():
        STAMP.write_text(INSTALLING)
        return
    say(f"Making .venv with Python {sys.version.split()[0]} …")
    try:
        empty()
        venv.create(VENV, with_pip=True, symlinks=True)
        STAMP.write_text(INSTALLING)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotInstall(f".venv couldn't be made: {error}. Install python3-venv, or free disk space.") from error


def empty() -> None:
    """Leave nothing in .venv but that it is ours, which has to stand there throughout: this may be interrupted."""
    VENV.mkdir(exist_ok=True)
    OURS.touch()
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != OURS:
            path.unlink()


def last_step() -> str:
    """The digest of the lock file that was installed last, INSTALLING if that was interrupted, or nothing."""
    return STAMP.read_text() if STAMP.exists() else ""


def install_lock() -> None:
    if subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        # Other tools make environments without pip.
        run_pip_like([str(PYTHON), "-m", "ensurepip"])
    quietly = ("--disable-pip-version-check", "--no-input", "--root-user-action=ignore")
    run_pip_like([str(PYTHON), "-m", "pip", "install", "--require-hashes", *quietly, "--requirement", str(LOCK)])


def run_pip_like(command: list[str]) -> None:
    """Run it, showing how far it is instead of all that it says; raise CannotInstall with its last words."""
    said: list[str] = []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    total = LOCK.read_text().count("==")
    collected = 0
    for line in process.stdout or ():
        said.append(line.rstrip())
        if line.startswith("Collecting "):
            collected += 1
            progress(f"  {collected} of at most {total}: {line.split()[1].partition('==')[0]}", step=collected)
        elif line.startswith("Installing collected"):
            progress("  unpacking …", step=0)
    end_progress()
    if process.wait():
        last = "\n".join(f"  {line}" for line in said[-15:])
        raise CannotInstall(
            f"Installing failed; the last lines were:\n{last}\n"
            "Look at the network and the package index (PIP_INDEX_URL), then run this again."
        )


def holds_everything() -> bool:
    checker = ROOT / "scripts" / "installed.py"
    return subprocess.run([str(PYTHON), str(checker), str(LOCK)], capture_output=True, check=False).returncode == 0


def runs() -> bool:
    try:
        command = [
            str(PYTHON),
            "-c",
            "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)",
        ]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two scripts started at once don't install over one another."""
    with Path(__file__).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another script is installing; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def progress(text: str, *, step: int) -> None:
    """One line that changes, on a terminal; else a line now and then."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif step % 20 == 0:
        say(text)


def end_progress() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        main()
    except CannotInstall as refusal:
        sys.exit(f"Latchkey can't be installed. {refusal}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run this again to go on.")
