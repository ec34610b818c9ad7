"""The keys of the embedded default: made once, kept in VAR_DIR, readable by their owner alone."""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import folders

SECRET_KEY_FILE = "secret_key"  # noqa: S105 - a file's name
FERNET_KEYS_FILE = "fernet_keys"
OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR
SET_IT = "set it to at least 32 random characters: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"


def read(folder: Path, name: str) -> str:
    """The key kept in `folder`, or nothing. Raises `ImproperlyConfigured` for one that can't be read."""
    try:
        return (folder / name).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no key"
    raise ImproperlyConfigured(
        f"{folder / name}, a key of the embedded database, can't be read: {reason}. "
        f"Bring it back and give it to the user that runs this, or set {name.upper()}."
    )


def make(folder: Path, name: str) -> str:
    """The key kept in `folder`, made now if there is none. Several processes may ask at once; all get the same."""
    folders.make(folder)
    with _alone(folder):
        if kept := read(folder, name):
            return kept
        key = secrets.token_urlsafe(50)
        draft = folder / f".{name}.new"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Renamed when whole: who is killed half-way leaves no half key behind.
        draft.rename(folder / name)
        return key


def missing() -> list[str]:
    """The names of the keys that are neither set nor kept."""
    given = {"SECRET_KEY": settings.SECRET_KEY_GIVEN, "FERNET_KEYS": bool(settings.FERNET_KEYS)}
    return [name for name, present in given.items() if not present]


def remedy() -> str:
    """What to do about a key that is missing."""
    if settings.EMBEDDED_DATABASE:
        return f"Start with scripts/run, which makes keys once and keeps them in VAR_DIR, or {SET_IT}"
    return f"None is made beside a DATABASE_URL, for all that work on that database need the same: {SET_IT}"


def require() -> None:
    """Raise ImproperlyConfigured unless there are keys. What serves people or does work calls this as it starts."""
    if settings.DEBUG:
        _make_missing(settings.VAR_DIR)
    elif names := missing():
        raise ImproperlyConfigured("\n".join(f"{name} is not set. {remedy()}" for name in names))


def prepare() -> None:
    """Make the keys of an embedded database, which is being made or brought up to date; another's must be given."""
    if settings.EMBEDDED_DATABASE:
        _make_missing(settings.VAR_DIR)
    else:
        require()


def _make_missing(folder: Path) -> None:
    if not settings.FERNET_KEYS:
        _refuse_to_orphan(folder)
        settings.FERNET_KEYS = [make(folder, FERNET_KEYS_FILE)]
    if not settings.SECRET_KEY_GIVEN:
        settings.SECRET_KEY = make(folder, SECRET_KEY_FILE)
        settings.SECRET_KEY_GIVEN = True


def _refuse_to_orphan(folder: Path) -> None:
    # New keys can't read what old ones encrypted, so a database without its keys stops the start.
    database = Path(settings.DATABASES["default"]["NAME"])
    if settings.EMBEDDED_DATABASE and database.exists() and database.stat().st_size:
        raise ImproperlyConfigured(
            f"FERNET_KEYS is not set and {folder / FERNET_KEYS_FILE} is gone, but {database} holds data that those "
            f"keys encrypted. Bring the keys back, or move {database} away to begin anew."
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
