import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import keys

ROOT = Path(__file__).parents[2]
NOTHING_SET = {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "config.settings"}


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**NOTHING_SET, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    folder = tmp_path / "var"

    made = keys.make(folder, "secret_key")

    assert len(made) >= 50
    assert keys.make(folder, "secret_key") == made
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_all_who_ask_at_once_get_the_same_key(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: keys.make(tmp_path, "secret_key"), range(64)))

    assert len(set(made)) == 1


def test_who_was_killed_while_making_a_key_is_no_obstacle(tmp_path):
    (tmp_path / ".secret_key.new").write_text("hal")

    made = keys.make(tmp_path, "secret_key")

    assert len(made) >= 50
    assert not (tmp_path / ".secret_key.new").exists()


@pytest.mark.parametrize(
    "start",
    [
        ("-c", "import config.wsgi"),
        ("-c", "import config.asgi"),
        ("-m", "celery", "-A", "config.celery", "worker"),
        ("-m", "celery", "-A", "config.celery", "beat"),
        ("manage.py", "check"),
        ("manage.py", "runserver", "--noreload", "0"),
        ("manage.py", "shell", "-c", "print('started')"),
    ],
    ids=lambda start: start[-1].split()[-1],
)
def test_nothing_starts_without_keys(tmp_path, start):
    done = run(*start, VAR_DIR=str(tmp_path))

    assert done.returncode != 0
    assert "SECRET_KEY is not set." in done.stderr
    assert "FERNET_KEYS is not set." in done.stderr
    assert not {"secret_key", "fernet_keys"} & {path.name for path in tmp_path.iterdir()}


def test_another_database_brings_its_own_keys(tmp_path):
    done = run("manage.py", "migrate", VAR_DIR=str(tmp_path), DATABASE_URL=f"sqlite:///{tmp_path}/mine.sqlite3")

    assert done.returncode == 1
    assert "FERNET_KEYS is not set. None is made beside a DATABASE_URL" in done.stderr


def test_a_key_that_cannot_be_read_is_told_and_not_replaced(tmp_path):
    (tmp_path / "fernet_keys").mkdir()

    done = run("manage.py", "migrate", VAR_DIR=str(tmp_path))

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "fernet_keys, a key of the embedded database, can't be read: Is a directory." in done.stderr


def test_a_folder_of_another_user_is_told_with_the_way_out(tmp_path):
    (tmp_path / "up.json").mkdir()  # who may do everything can't be kept out otherwise

    done = run("manage.py", "migrate", VAR_DIR=str(tmp_path))

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"VAR_DIR is {tmp_path}, where up.json can't be read: Is a directory." in done.stderr


def test_an_embedded_database_is_born_with_its_keys(tmp_path):
    migrated = run("manage.py", "migrate", VAR_DIR=str(tmp_path / "var"))

    checked = run("manage.py", "check", VAR_DIR=str(tmp_path / "var"))

    assert (migrated.returncode, checked.returncode) == (0, 0), migrated.stderr + checked.stderr
    assert {"secret_key", "fernet_keys", "latchkey.sqlite3"} <= {path.name for path in (tmp_path / "var").iterdir()}


def test_data_without_its_keys_is_not_given_new_ones(tmp_path):
    (tmp_path / "latchkey.sqlite3").write_bytes(b"rows that the lost keys encrypted")

    done = run("manage.py", "migrate", VAR_DIR=str(tmp_path))

    assert done.returncode == 1
    assert "Bring the keys back, or move" in done.stderr
    assert not (tmp_path / "fernet_keys").exists()
