"""The settings of the tests: the real ones, with everything that is kept put into a folder that is thrown away.

`DATABASE_URL` and `CELERY_BROKER_URL` choose what the suite runs against; without them it is the embedded default.
"""

import os
import secrets
import tempfile
from importlib.util import find_spec
from pathlib import Path

# Made, and removed, by conftest.py: whoever only reads these settings (a type checker does) leaves nothing behind.
_folder = Path(tempfile.gettempdir()) / f"latchkey-tests-{os.getpid()}-{secrets.token_hex(4)}"

# Set before the real settings read them, and all of them: neither the developer's environment nor a .env counts.
os.environ.update(
    VAR_DIR=str(_folder),
    SECRET_KEY=secrets.token_urlsafe(50),
    FERNET_KEYS=secrets.token_urlsafe(50),
    DEBUG="0",
    PUBLIC_URL="http://127.0.0.1:8000",
    OUTBOUND_TIMEOUT="15",
    RENEWAL_TICK="5",
    SANDBOX="1" if all(find_spec(name) for name in ("oauth2_provider", "config.sandbox")) else "0",
)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_folder / 'latchkey.sqlite3'}")
os.environ.setdefault("CELERY_BROKER_URL", "")
_HOSTS = ("ALLOWED_HOSTS", "CUSTOM_DOMAINS", "OUTBOUND_ALLOWED_HOSTS", "OUTBOUND_CA_FILE")
_MAIL = ("EMAIL_URL", "EMAIL_FROM", "ALERT_EMAILS")
_FURTHER = ("METRICS_TOKEN", "EVENT_RETENTION_DAYS", "LOG_FORMAT")
for _name in (*_HOSTS, *_MAIL, *_FURTHER):
    os.environ[_name] = ""
_CHOSEN = ("VAR_DIR", "SECRET_KEY", "FERNET_KEYS", "DEBUG", "PUBLIC_URL", "OUTBOUND_TIMEOUT", "RENEWAL_TICK", "SANDBOX")
for _name in (*_CHOSEN, *_HOSTS, *_MAIL, "DATABASE_URL", "CELERY_BROKER_URL", *_FURTHER):
    os.environ[f"{_name}_FILE"] = ""
# What a machine needs to reach others must not stand between a test and what it started on loopback.
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# Looks for files once in a process; see there.
_SITES, _FOUND_ONCE = "config.middleware.StaticFilesMiddleware", "tests.static_files.FoundOnce"
MIDDLEWARE = [_FOUND_ONCE if name == _SITES else name for name in MIDDLEWARE]  # noqa: F405
