"""The commands of the page for who is on call that back up and restore, run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tenants.models import InstanceValues
from tests.services.postgres import client_programs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases, pytest.mark.postgresql_only]

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text().partition("### Back up and restore")[2]
BACK_UP, RESTORE = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[:2]
NEW = RESTORE.partition("\n")[0].split()[-1]  # the new database's name


@pytest.fixture
def address():
    """Of the database of these tests."""
    given = urlsplit(os.environ["DATABASE_URL"])
    return given._replace(path=f"/{settings.DATABASES['default']['NAME']}").geturl()


@pytest.fixture
def run(tmp_path, address):
    programs = client_programs(connection.pg_version // 10_000)
    if programs is None:
        pytest.skip("pg_dump of the server's version is not installed. Install PostgreSQL's client programs.")
    # Of these tests alone: others may run at the same server.
    name = f"{settings.DATABASES['default']['NAME']}_restored"
    restored = urlsplit(address)._replace(path=f"/{name}").geturl()
    path = os.pathsep.join([str(programs), os.environ["PATH"]])

    def run(commands):
        environment = {**os.environ, "PATH": path, "DATABASE_URL": address, "RESTORED_URL": restored}
        done = subprocess.run(
            ["bash", "-euc", commands.replace(NEW, name)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return restored

    yield run
    with psycopg.connect(address, autocommit=True) as link:
        link.execute(f"DROP DATABASE IF EXISTS {name}")


def rows(url, *tables):
    with psycopg.connect(url) as link:
        return {table: link.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}  # noqa: S608


def test_what_is_backed_up_is_restored_into_a_new_database(instance, address, run):
    tables = ("tenants_instance", "tenants_instancevalues", "tenants_token", "tenants_event", "django_migrations")
    before = rows(address, *tables)
    run(BACK_UP)
    InstanceValues.objects.all().delete()

    restored = run(RESTORE)

    assert rows(restored, *tables) == before
    assert before["tenants_instancevalues"]
    migrated = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": restored},
        capture_output=True,
        check=False,
    )
    assert migrated.returncode == 0, migrated.stderr


def test_a_second_restore_changes_nothing(instance, run):
    """Into a database that is not empty: refused as a whole."""
    run(BACK_UP)
    restored = run(RESTORE)
    before = rows(restored, "tenants_instance")
    InstanceValues.objects.all().delete()

    with pytest.raises(AssertionError, match="already exists"):
        run(RESTORE.partition("\n")[2])

    assert rows(restored, "tenants_instance") == before
