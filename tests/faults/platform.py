"""A whole platform of real processes on a PostgreSQL and a Redis of its own, any of which can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import redis
import requests
from django.conf import settings

from tests.faults.token_server import DEADLINE
from tests.services.postgres import stopped_postgres
from tests.services.process import die_with_parent, free_port
from tests.services.redis import stopped_redis
from tests.tenants.processes import environment

TICK = 1.0  # seconds
LEASE = DEADLINE + 5.0  # seconds
# Far beyond what anything takes; a busy machine may need a good part of it to start a process.
PATIENCE = 60.0

CELERY = ("celery", "-q", "-A", "config.celery")
WORKER = (*CELERY, "worker", "--concurrency=2", "--without-gossip", "--without-mingle")
STATE = """
    SELECT instance.id::text, status, status_reason, expires_at > clock_timestamp() AS lives,
           lease_owner::text, clock_timestamp() - lease_until AS held_too_long,
           clock_timestamp() - refresh_at AS overdue
    FROM tenants_token JOIN tenants_instance AS instance ON instance.id = instance_id ORDER BY instance.name
"""
STORED = """
    SELECT instance.name, extract(epoch FROM event.at)::float AS at FROM tenants_event AS event
    JOIN tenants_instance AS instance ON instance.id = event.instance_id
    WHERE kind IN ('connected', 'renewed', 'recovered') ORDER BY event.at
"""


class Server:
    """PostgreSQL or Redis, to be stopped and started."""

    def __init__(self, run):
        self._run, self._stack = run, None
        self.start()

    def start(self):
        self._stack = ExitStack()
        self._stack.enter_context(self._run())

    def stop(self):
        if self._stack is not None:
            self._stack.close()
            self._stack = None


class Platform:
    def __init__(self, folder, stack, instances, lives):
        self.folder, self._stack, self.kills = folder, stack, []
        self._running = {}
        database, run = stack.enter_context(stopped_postgres())
        self.database = Server(run)
        stack.callback(self.database.stop)
        broker, run = stack.enter_context(stopped_redis())
        self.broker = Server(run)
        stack.callback(self.broker.stop)
        stack.callback(self.kill_all)
        self.url = database
        more = {"OUTBOUND_TIMEOUT": str(DEADLINE), "RENEWAL_TICK": str(TICK), "SANDBOX": "0"}
        self._environment = environment(folder, **{**more, "DATABASE_URL": database, "CELERY_BROKER_URL": broker})
        self.tokens = json.loads(self._output("tests.faults.token_server"))["url"]
        self._run("manage", "migrate", "--no-input", "--verbosity=0")
        self.tell(lives=lives)
        made = json.loads(self._run("tests.faults.setting_up", self.tokens, str(instances)))
        self.ids, self._key = made["ids"], made["key"]

    # --- Processes --------------------------------------------------------------------------------------------------

    def start(self, name, *command, skew=0.0):
        """Start a part, or start it again as it was."""
        command = command if not skew else ("tests.faults.skewed", str(skew), *command)
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        with (folder / "log").open("ab") as log:
            self._running[name] = self._popen(folder, command, log, log), command

    def start_worker(self, name, skew=0.0, pool="threads"):
        self.start(name, *WORKER, f"--pool={pool}", "-n", f"{name}@here", skew=skew)

    def start_beat(self, name, skew=0.0):
        self.start(name, *CELERY, "beat", skew=skew)

    def start_reader(self, name, skew=0.0, *, ids=()):
        """It reads these, by default all, for ever."""
        self.start(name, "tests.faults.reading", str(self.folder / f"{name}.reads"), *(ids or self.ids), skew=skew)

    def start_web(self):
        self.web = f"127.0.0.1:{free_port()}"
        self.start("web", "gunicorn", "-c", "python:config.gunicorn_settings", "-b", self.web, "config.wsgi")

    def kill(self, name):
        """kill -9, all of it, as when its machine is lost."""
        popen, _ = self._running[name]
        self.kills.append(time.time())
        with suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()

    def runs(self, name):
        """Whether it has not ended, as the process that was started."""
        return self._running[name][0].poll() is None

    def restart(self, name):
        self.start(name, *self._running[name][1])

    def kill_all(self):
        for name, (popen, _) in self._running.items():
            if popen.poll() is None:
                self.kill(name)
        self._running = {}

    def come_to_an_end(self):
        """Ask everything to stop and let it finish what it is at, those first who make others work."""
        for name in sorted(self._running, key=lambda name: name.startswith("worker")):
            popen, _ = self._running[name]
            self.kills.append(time.time())  # a reader ends at once, whatever it is at
            popen.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                popen.wait(20)
        self.kill_all()

    def log(self):
        return "\n".join(f"{file.parent.name}: {file.read_text()[-3000:]}" for file in self.folder.glob("*/log"))

    def _popen(self, folder, command, stdout, stderr):
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**self._environment, "VAR_DIR": str(folder)},
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )

    def _output(self, *command):
        """The first line of what a process says that goes on running."""
        popen = self._popen(self.folder, command, subprocess.PIPE, None)
        self._stack.callback(popen.wait)
        self._stack.callback(popen.kill)
        self._stack.enter_context(popen.stdout)
        return popen.stdout.readline()

    def _run(self, *command):
        with self._popen(self.folder, command, subprocess.PIPE, None) as popen:
            said, _ = popen.communicate(timeout=2 * PATIENCE)
            assert popen.returncode == 0, command
        return said

    # --- Looking ------------------------------------------------------------------------------------------------------

    def rows(self, statement):
        with psycopg.connect(self.url, row_factory=psycopg.rows.dict_row, autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    def tell(self, **what):
        requests.post(f"{self.tokens}/told", json=what, timeout=10).raise_for_status()

    def tell_broker(self, *command):
        with redis.Redis.from_url(self._environment["CELERY_BROKER_URL"]) as broker:
            broker.execute_command(*command)

    def book(self):
        return requests.get(f"{self.tokens}/book", timeout=10).json()

    def read_web(self, number=0):
        """The status of a call for a token."""
        url = f"http://{self.web}/api/v1/instances/{self.ids[number]}/token"
        try:
            answer = requests.get(url, headers={"Authorization": f"Bearer {self._key}"}, timeout=10)
        except requests.RequestException as error:
            return type(error).__name__
        return answer.status_code

    def ails(self, owners=frozenset()):
        """What keeps the platform from being whole: dead tokens, what is stuck, and these owners' leases."""
        found = []
        for row in self.rows(STATE):
            if row["status"] != "active" or not row["lives"]:
                found.append(f"{row['id']} is {row['status']} and its token {'lives' if row['lives'] else 'is dead'}")
            if row["lease_owner"] in owners:
                found.append(f"{row['id']} waits for the lease of a killed process")
            if row["held_too_long"] and row["held_too_long"].total_seconds() > TICK + LEASE:
                found.append(f"the lease of {row['id']} ended long ago")
            if row["overdue"] and row["overdue"].total_seconds() > TICK + LEASE:
                found.append(f"{row['id']} is overdue")
        return found

    def dead(self):
        """The ids of those whose tokens have died."""
        return {row["id"] for row in self.rows(STATE) if not row["lives"]}

    def renewed_since(self, when):
        """How many instances have a token that the provider issued after that (of `time.time`)."""
        clients = {mint["client"] for mint in self.book()["mints"] if mint["at"] > when}
        return len(clients)

    def recovers(self, owners=frozenset(), within=PATIENCE):
        """How many seconds it takes until all is whole."""
        began = time.monotonic()
        while found := self.ails(owners):
            assert time.monotonic() - began < within, f"{found}\n{self.log()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def renews_everything(self, within=PATIENCE):
        """How many seconds it takes until everything has a new token. With short ones they never all live at once."""
        now, began = time.time(), time.monotonic()
        while (renewed := self.renewed_since(now)) < len(self.ids):
            assert time.monotonic() - began < within, f"only {renewed} have a new token\n{self.log()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def owners(self):
        return frozenset(row["lease_owner"] for row in self.rows(STATE) if row["lease_owner"])

    def mints(self):
        """Per instance: when tokens were issued in time, as the provider says; and when tokens were stored."""
        issued, stored = defaultdict(list), defaultdict(list)
        for mint in self.book()["mints"]:
            if not mint["late"]:
                issued[mint["client"].replace("client-", "no. ")].append(mint["at"])
        for row in self.rows(STORED):
            stored[row["name"]].append(row["at"])
        return issued, stored

    def reads(self):
        files = self.folder.glob("*.reads")
        return [json.loads(line) for file in files for line in file.read_text().splitlines() if line.endswith("}")]


@contextmanager
def platform(folder: Path, instances: int, lives: int = 12):
    """Started with tokens that live for so many seconds; the token server can be told of others."""
    with ExitStack() as stack:
        yield Platform(folder, stack, instances, lives)
