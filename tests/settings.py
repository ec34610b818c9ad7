"""The settings of the tests: the real ones, with everything that is kept put into a folder that is thrown away.

`DATABASE_URL` and `CELERY_BROKER_URL` choose what the suite runs against; without them it is the embedded default.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="latchkey-tests-")
_maker = os.getpid()


def _clear_away() -> None:
    # A forked child ends too, and must leave the folder to the process that made it.
    if os.getpid() == _maker:
        shutil.rmtree(_folder, ignore_errors=True)


atexit.register(_clear_away)

# Set before the real settings read them, and all of them: neither the developer's environment nor a .env counts.
os.environ.update(
    VAR_DIR=_folder,
    SECRET_KEY=secrets.token_urlsafe(50),
    FERNET_KEYS=secrets.token_urlsafe(50),
    DEBUG="0",
    PUBLIC_URL="http://127.0.0.1:8000",
    OUTBOUND_TIMEOUT="15",
    RENEWAL_TICK="5",
    SANDBOX="1",
)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(_folder) / 'latchkey.sqlite3'}")
os.environ.setdefault("CELERY_BROKER_URL", "")
for _name in ("ALLOWED_HOSTS", "OUTBOUND_ALLOWED_HOSTS", "OUTBOUND_CA_FILE"):
    os.environ[_name] = ""

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
