"""The servers that tests run against, started as the scripts start them."""

import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest
import redis as client

from tests.services.postgres import postgres
from tests.services.process import CannotStart
from tests.services.redis import redis


@pytest.fixture
def started():
    def enter(server):
        try:
            return server.__enter__()
        except CannotStart as error:
            pytest.skip(f"{error}. docs/development.md says what helps.")

    return enter


def test_postgres_runs_without_roots_powers_and_is_gone_afterwards(started):
    server = postgres()
    url = started(server)
    with psycopg.connect(url) as connection:
        pid, folder = connection.execute("SELECT pg_backend_pid(), current_setting('data_directory')").fetchone()
        # Without /proc (macOS) whoever owns the data is who runs the server: it insists on that.
        owner = os.stat(f"/proc/{pid}" if os.path.isdir("/proc/self") else folder).st_uid

    server.__exit__(None, None, None)

    assert owner != 0
    assert not os.path.exists(folder)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_redis_asks_for_its_password_and_is_gone_afterwards(started):
    server = redis()
    url = started(server)
    port = int(url.rpartition(":")[2].removesuffix("/0"))
    with client.Redis(port=port) as stranger, pytest.raises(client.AuthenticationError):
        stranger.ping()

    server.__exit__(None, None, None)

    with client.Redis.from_url(url) as late, pytest.raises(client.ConnectionError):
        late.ping()


@pytest.fixture
def temporary_folder(monkeypatch):
    """A folder for temporary files with a name that needs quotes, open to all until a test says otherwise."""
    folder = Path(tempfile.mkdtemp(prefix="latchkey it's a folder ü "))
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=[postgres, redis])
def server(request, started):
    usual = request.param()
    started(usual)
    usual.__exit__(None, None, None)
    return request.param


def test_a_server_runs_where_temporary_files_lie_in_a_folder_of_any_name(server, temporary_folder):
    with server() as url:
        assert url
        assert [*temporary_folder.iterdir()] != []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as somebody else")
def test_a_server_runs_where_roots_temporary_files_are_closed_to_others(server, temporary_folder):
    temporary_folder.chmod(0o700)

    with server() as url:
        assert url
