"""`manage.py up` as a person uses it: a process in a terminal."""

import http.client
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from config import embedded
from tests.services.process import die_with_parent

ROOT = Path(__file__).parents[2]
READY_WITHIN = 90  # seconds, on a machine that runs other tests beside
STOPS_WITHIN = 25  # seconds
pytestmark = pytest.mark.faults


class Up:
    """A running `manage.py up`."""

    def __init__(self, folder, port, before=die_with_parent, **more):
        self.port = port
        self.lines = []
        self._process = subprocess.Popen(
            command(port),
            cwd="/",
            env=environment(folder, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=before,
        )
        self._reader = threading.Thread(target=lambda: self.lines.extend(self._process.stdout))
        self._reader.start()

    @property
    def pid(self):
        return self._process.pid

    def wait_for(self, text):
        deadline = time.monotonic() + READY_WITHIN
        while not any(text in line for line in self.lines):
            assert self._process.poll() is None, f"it ended: {''.join(self.lines)}"
            assert time.monotonic() < deadline, f"{text!r} didn't come: {''.join(self.lines)}"
            time.sleep(0.05)

    def end(self, signum):
        """Its exit code, once it and its output have ended."""
        self._process.send_signal(signum)
        code = self._process.wait(STOPS_WITHIN)
        self._reader.join(STOPS_WITHIN)
        self._process.stdout.close()
        return code

    def clear_away(self):
        if self._process.poll() is None:
            self.end(signal.SIGTERM)


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def up(tmp_path, port):
    started = []

    def start(wait_for="Latchkey is ready", **more):
        started.append(Up(tmp_path / "var", port, **more))
        started[-1].wait_for(wait_for)
        return started[-1]

    yield start
    for running in started:
        running.clear_away()


def command(port):
    return [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port)]


def environment(folder, **more):
    return {"PATH": os.environ["PATH"], "VAR_DIR": str(folder), **more}


def refused(port, folder, **more):
    done = subprocess.run(
        command(port), env=environment(folder, **more), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def processes_below(pid):
    """The commands of all descendants, by process id."""
    table = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [(int(row[0]), int(row[1]), row[2]) for row in (line.split(None, 2) for line in table.splitlines())]
    found, level = {}, {pid}
    while level:
        below = {child: args for child, parent, args in rows if parent in level}
        found |= below
        level = set(below)
    return found


def still_running(pids):
    shown = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-p", ",".join(map(str, pids))], capture_output=True, text=True, check=False
    )
    return [line for line in shown.stdout.splitlines() if "Z" not in line.split()[1]]


def none_left_soon(pids):
    deadline = time.monotonic() + STOPS_WITHIN
    while (left := still_running(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left == []


def status_of(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def kept(folder):
    """What must outlive a restart: the keys, and who was made in the database."""
    with sqlite3.connect(folder / "latchkey.sqlite3") as database:
        users = database.execute("SELECT username, password FROM auth_user ORDER BY id").fetchall()
    database.close()
    return (folder / "secret_key").read_text(), (folder / "fernet_keys").read_text(), users


def test_a_second_run_keeps_data_and_keys_and_both_leave_no_process(up, tmp_path, port):
    first = up()
    assert status_of(port, "/healthz") == 200
    assert status_of(port, "/login/") == 200
    children = processes_below(first.pid)
    assert first.end(signal.SIGINT) == 0
    assert none_left_soon(children)
    before = kept(tmp_path / "var")

    second = up()
    children = processes_below(second.pid)

    assert kept(tmp_path / "var") == before
    assert second.end(signal.SIGTERM) == 0
    assert none_left_soon(children)
    assert second.lines[-1] == "Stopped.\n"
    for name in ("secret_key", "fernet_keys", "latchkey.sqlite3"):
        assert stat.S_IMODE((tmp_path / "var" / name).stat().st_mode) == 0o600


def test_under_nohup_and_with_what_a_crash_left_it_starts_and_outlives_its_terminal(up, tmp_path, port):
    def under_nohup():
        die_with_parent()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    (tmp_path / "var" / "broker" / "messages").mkdir(parents=True)
    (tmp_path / "var" / "broker" / "messages" / "1_left.celery.msg").touch()
    (tmp_path / "var" / "up.json").touch()
    (tmp_path / "var" / "beat-schedule").write_bytes(b"spoilt")
    running = up(before=under_nohup)

    os.kill(running.pid, signal.SIGHUP)

    time.sleep(2)
    assert status_of(port, "/healthz") == 200
    assert not any("ended unexpectedly" in line for line in running.lines)
    assert running.end(signal.SIGTERM) == 0


def test_an_interrupted_command_ends_without_a_traceback(tmp_path):
    interrupted = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "shell", "-c", "raise KeyboardInterrupt"],
        env=environment(tmp_path / "var", DEBUG="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert interrupted.stderr == ""
    assert interrupted.returncode == 128 + signal.SIGINT


def test_a_killed_worker_is_started_again_and_a_killed_up_takes_all_along(up, tmp_path, port):
    running = up()
    (worker,) = (pid for pid, args in processes_below(running.pid).items() if re.search(r"celery.* worker ", args))

    os.kill(worker, signal.SIGKILL)

    running.wait_for("worker ended unexpectedly (killed by SIGKILL); starting it again")
    time.sleep(2)
    children = processes_below(running.pid)
    assert any(re.search(r"celery.* worker ", args) for args in children.values())
    assert "already runs from" in refused(port + 1 if port < 65535 else port - 1, tmp_path / "var")
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    assert none_left_soon(children)


def test_who_stops_before_the_end_gets_the_passwords_that_were_made_in_any_locale(up):
    running = up("Starting web", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    assert running.end(signal.SIGINT) == 0

    assert any(re.match(r"    admin   \w{12,}  administrator", line) for line in running.lines), running.lines
    assert running.lines[-1] == "Stopped.\n"


def test_a_second_one_is_told_of_the_first_not_of_the_port_that_it_holds(tmp_path, port):
    with socket.socket() as first:
        first.bind(("127.0.0.1", port))
        first.listen()
        (tmp_path / "var").mkdir()

        with embedded.sole_user(tmp_path / "var"):
            message = refused(port, tmp_path / "var")

    assert f"already runs from {tmp_path / 'var'}" in message


def test_a_taken_port_is_named_with_the_way_out(tmp_path, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()

        message = refused(port, tmp_path / "var")

    assert f"Port {port} on 127.0.0.1 is taken" in message
    assert "--port" in message
    assert not (tmp_path / "var").exists()


def test_a_port_that_is_none_is_refused(tmp_path):
    assert "'notaport' is no port. Write one from 1 to 65535" in refused("notaport", tmp_path)


def test_a_database_of_ones_own_needs_keys_of_ones_own(tmp_path, port):
    message = refused(port, tmp_path / "var", DATABASE_URL=f"sqlite:///{tmp_path}/mine.sqlite3")

    assert "FERNET_KEYS is not set." in message
