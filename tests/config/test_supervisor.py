import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from config.child import Program
from config.supervisor import MANY_CRASHES, Supervisor

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.faults

PROGRAMS = {
    "steady": """
        import os, time
        print("here as", os.getpid(), flush=True)
        time.sleep(60)
    """,
    "stubborn": """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("here as", os.getpid(), flush=True)
        time.sleep(60)
    """,
    "parent": """
        import os, subprocess, sys, time
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print("generations", os.getpid(), grandchild.pid, flush=True)
        time.sleep(60)
    """,
    "crashing": "raise SystemExit(3)",
    "brief": "print('done')",
}


class Lines(list[str]):
    """What the supervisor wrote."""

    def wait_for(self, text, *, times=1, seconds=20):
        deadline = time.monotonic() + seconds
        while sum(text in line for line in self) < times:
            assert time.monotonic() < deadline, f"{text!r} didn't come {times} times: {self}"
            time.sleep(0.02)
        return next(line for line in self if text in line)


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def supervise(tmp_path, lines):
    """Starts a supervisor over the named programs, in a thread."""
    for name, source in PROGRAMS.items():
        body = "\n".join(line.removeprefix("        ") for line in source.strip("\n").splitlines())
        (tmp_path / f"{name}.py").write_text(body)
    started = []

    def start(*names, **more):
        supervisor = Supervisor(
            [Program(name, name) for name in names],
            environment={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
            write=lines.append,
            **{"folder": tmp_path, **more},
        )
        thread = threading.Thread(target=supervisor.run)
        thread.start()
        started.append((supervisor, thread))
        return supervisor

    yield start
    for supervisor, thread in started:
        supervisor.stop()
        supervisor.stop()
        thread.join(30)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not state.startswith("Z")


def is_gone_soon(pid, seconds=15):
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_what_a_child_writes_stands_under_its_name(supervise, lines):
    supervise("steady")

    assert lines.wait_for("here").startswith("steady | here as ")


def test_a_crashed_child_is_started_again_and_said_so(supervise, lines):
    supervise("crashing")

    lines.wait_for("crashing ended unexpectedly (exit code 3); starting it again in 0.5 s.")
    lines.wait_for("crashing ended unexpectedly (exit code 3); starting it again in 1 s.")


def test_a_child_that_keeps_crashing_is_named_as_such(supervise, lines, monkeypatch):
    monkeypatch.setattr("config.supervisor.FIRST_DELAY", 0.01)

    supervise("crashing")

    assert str(MANY_CRASHES) in lines.wait_for("times in a row")


def test_a_child_that_can_t_be_started_now_is_started_later(supervise, lines, tmp_path):
    supervise("steady", folder=tmp_path / "missing")
    lines.wait_for("steady could not be started (No such file or directory); starting it again in 0.5 s.")

    (tmp_path / "missing").mkdir()

    lines.wait_for("here as")


def test_a_killed_child_takes_its_own_children_along(supervise, lines):
    supervise("parent")
    child, grandchild = map(int, lines.wait_for("generations").split()[-2:])

    os.kill(child, signal.SIGKILL)

    lines.wait_for("killed by SIGKILL")
    assert is_gone_soon(grandchild)


def test_stopping_leaves_no_process_of_any_generation(supervise, lines):
    supervisor = supervise("parent", "steady")
    pids = [int(pid) for pid in lines.wait_for("generations").split()[-2:]]
    pids.append(int(lines.wait_for("here as").split()[-1]))

    supervisor.stop()

    assert all(is_gone_soon(pid) for pid in pids)


def test_a_child_that_does_not_stop_is_killed(supervise, lines, monkeypatch):
    monkeypatch.setattr("config.supervisor.STOP_WITHIN", 0.3)
    supervisor = supervise("stubborn")
    pid = int(lines.wait_for("here as").split()[-1])

    supervisor.stop()

    lines.wait_for("stubborn didn't stop in time and was killed.")
    assert is_gone_soon(pid)


def test_a_program_run_once_tells_whether_it_succeeded(supervise, lines):
    supervisor = supervise()

    assert supervisor.run_once(Program("brief", "brief"), write=lines.append)
    assert lines == ["done"]
    assert not supervisor.run_once(Program("crashing", "crashing"))


def test_children_end_with_a_supervisor_that_was_killed(tmp_path):
    (tmp_path / "steady.py").write_text("import os, time\nprint('here as', os.getpid(), flush=True)\ntime.sleep(60)\n")
    (tmp_path / "supervising.py").write_text(
        "import os\nfrom pathlib import Path\n"
        "from config.child import Program\nfrom config.supervisor import Supervisor\n"
        "s = Supervisor([Program('steady', 'steady')], folder=Path(__file__).parent, environment=os.environ,\n"
        "    write=lambda line: print(line, flush=True))\ns.run()\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    with subprocess.Popen(
        [sys.executable, "-m", "supervising"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as supervising:
        child = int(supervising.stdout.readline().split()[-1])

        supervising.kill()

        assert is_gone_soon(child)
