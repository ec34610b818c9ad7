"""Other processes of the platform, on the test's own database: what they say is JSON, a line each."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The settings of a process beside the test: the same database and keys, a folder of its own."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "FERNET_KEYS": ",".join(settings.FERNET_KEYS),
        "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
        **more,
    }


def database_url() -> str:
    its = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{its['NAME']}"
    user, password, name = (quote(its[part], safe="") for part in ("USER", "PASSWORD", "NAME"))
    return f"postgres://{user}:{password}@{its['HOST']}:{its['PORT']}/{name}"


class Process:
    """A process that waits to be told to begin."""

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        self._popen = popen

    def says(self) -> Any:
        """The next line that it says. Raises AssertionError with what it complains of, if it ends without."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        assert line, f"The process ended with {self._popen.wait()}."
        return json.loads(line)

    def begin(self) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write("go\n")
        self._popen.stdin.flush()


@contextmanager
def process(module: str, *arguments: str, env: Mapping[str, str]) -> Iterator[Process]:
    command = [sys.executable, "-W", "error", "-m", module, *arguments]
    with subprocess.Popen(
        command, env=env, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as popen:
        try:
            yield Process(popen)
        finally:
            popen.kill()
