"""What `manage.py up` decides for the embedded default, and leaves in VAR_DIR for commands typed beside it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import ports
from config.checks import is_local


class AlreadyRunning(Exception):
    """Another `manage.py up` works in this VAR_DIR; the message names it."""


def decide(host: str, port: int) -> dict[str, str]:
    """Settings that follow from the address served, where the environment doesn't say otherwise."""
    given = os.environ
    decided: dict[str, str] = {}
    address = ports.url(host, port)
    if not _is_given("PUBLIC_URL"):
        decided["PUBLIC_URL"] = address
    sandbox = settings.EMBEDDED_DATABASE and settings.SANDBOX_INSTALLED
    if sandbox and not _is_given("SANDBOX") and is_local(given.get("PUBLIC_URL", "") or address):
        decided["SANDBOX"] = "1"
    if decided.get("SANDBOX") or (_is_given("SANDBOX") and settings.SANDBOX):
        # The sandbox's token endpoint is here, on an address that is refused unless it is named.
        own = address.removeprefix("http://")
        decided["OUTBOUND_ALLOWED_HOSTS"] = ",".join(filter(None, (given.get("OUTBOUND_ALLOWED_HOSTS", ""), own)))
    return decided


def left(file: Path) -> dict[str, str]:
    """The decisions that a `manage.py up` left there. Raises `ImproperlyConfigured` where nobody lets us look.

    A file that a crash cut short holds none: the next `manage.py up` writes it anew.
    """
    try:
        decided = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as error:
        fault = error.strerror
    else:
        return {name: str(value) for name, value in decided.items()} if isinstance(decided, dict) else {}
    raise ImproperlyConfigured(
        f"VAR_DIR is {file.parent}, where {file.name} can't be read: {fault}. If another user, such as root, ran "
        f"Latchkey there, give the folder to the user that runs it now, or name another in VAR_DIR."
    )


def leave(decided: dict[str, str]) -> None:
    """Write the decisions where settings find them."""
    draft = settings.UP_FILE.with_suffix(".new")
    draft.write_text(json.dumps(decided))
    draft.replace(settings.UP_FILE)


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Hold VAR_DIR for one `manage.py up`; raises AlreadyRunning if another holds it."""
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(
                f"Latchkey already runs from {folder} (process {lock.read().strip() or 'unknown'}). "
                "Stop it first, or name another folder in VAR_DIR."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def refuse_second(folder: Path) -> None:
    """Raise AlreadyRunning if a `manage.py up` holds VAR_DIR; makes nothing there."""
    if (folder / "up.lock").exists():
        with sole_user(folder):
            pass


def _is_given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
