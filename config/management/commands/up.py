"""`manage.py up`: the web, a worker and the scheduler together, in the foreground."""

import http.client
import os
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import embedded, folders, keys, open_files, ports
from config.child import Program
from config.environment import Environment
from config.supervisor import Supervisor
from config.voice import Voice

CELERY = ("-q", "-A", "config.celery")
WORKER = Program(
    "worker",
    "celery",
    # Threads: the work is waiting for other machines. Nothing here listens to other workers' gossip.
    (*CELERY, "worker", "--pool=threads", "--concurrency=4", "--without-gossip", "--without-mingle"),
)
BEAT = Program("beat", "celery", (*CELERY, "beat"))
MIGRATE = Program("setup", "manage", ("migrate", "--no-input", "--verbosity=1"))
DEMO = Program("setup", "manage", ("seed_demo",))


class Command(BaseCommand):
    help = "Run web, worker and scheduler together, in the foreground. Ctrl-C or SIGTERM stops all of it."
    # The checks ask for keys, which this command makes; its children check.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default: 127.0.0.1)")
        parser.add_argument("--port", default=8000, type=_port, help="port to serve on (default: 8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        try:
            os.umask(0o077)  # what is kept is for its owner alone
            _refuse_taken(host, port)
            folders.make_all()
            with embedded.sole_user(settings.VAR_DIR):
                folders.forget_messages()
                self._run(host, port)
        except (ports.PortRefused, embedded.AlreadyRunning) as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            raise CommandError(
                f"Latchkey can't start: {error}.\n"
                f"What it keeps lies in {settings.VAR_DIR}: see that there is room, and that this user may write there."
            ) from error

    def _run(self, host: str, port: int) -> None:
        keys.prepare()
        decided = embedded.decide(host, port)
        embedded.leave(decided)
        say = _voice()
        if warning := open_files.warning(open_files.allow_many()):
            say(warning)
        supervisor = Supervisor(
            [_web(host, port), WORKER, BEAT],
            folder=settings.BASE_DIR,
            environment={**_log_format(), **os.environ, **decided, "DJANGO_SETTINGS_MODULE": "config.settings"},
            write=say,
        )
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(signum) is not signal.SIG_IGN:  # as under nohup, which outlives its terminal
                signal.signal(signum, supervisor.stop)
        try:
            self._prepare_and_run(supervisor, decided, say, ports.url(host, port))
        finally:
            say.finish()

    def _prepare_and_run(self, supervisor: Supervisor, decided: dict[str, str], say: Voice, address: str) -> None:
        say("Preparing the database …")
        self._run_once(supervisor, MIGRATE, say)
        # The demo's logins are shown at the end, where they aren't scrolled away.
        demo = self._run_once(supervisor, DEMO, say) if "SANDBOX" in decided and _has_demo() else []
        if not supervisor.stopping:
            say("Starting web, worker and scheduler …")

        untold = [*demo]

        def when_started() -> bool:
            if not _answers(address):
                return False
            untold.clear()
            say(_welcome(address, demo))
            return True

        supervisor.run(when_started)
        # Passwords that were just made are shown this once, also to who stopped before the end.
        say("\n".join([*untold, "Stopped."]))

    def _run_once(self, supervisor: Supervisor, program: Program, say: Voice) -> list[str]:
        """What the program wrote; raises CommandError if it failed, unless it was stopped."""
        lines: list[str] = []

        def keep(line: str) -> None:
            lines.append(line)
            if line.startswith("  Applying "):
                say(f"setup  | {line.strip()}")

        if not supervisor.run_once(program, write=keep) and not supervisor.stopping:
            raise CommandError(
                "\n".join([*lines, f"`manage.py {program.arguments[0]}` failed; the lines above say why."])
            )
        return lines


def _voice() -> Voice:
    if not sys.stdout:  # closed by who started this
        return Voice(os.open(os.devnull, os.O_WRONLY))
    return Voice(sys.stdout.fileno(), encoding=sys.stdout.encoding, errors=sys.stdout.errors or "replace")


def _refuse_taken(host: str, port: int) -> None:
    """Raises PortRefused, or AlreadyRunning where it is a second `up` in the same folder that wants the port."""
    try:
        ports.refuse_unless_free(host, port)
    except ports.PortRefused:
        # Another port, as the refusal advises, would not help.
        embedded.refuse_second(settings.VAR_DIR)
        raise


def _web(host: str, port: int) -> Program:
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    arguments = ("-c", "python:config.gunicorn_settings", "--bind", bind, "config.wsgi")
    return Program("web", "gunicorn", arguments)


def _log_format() -> dict[str, str]:
    """For people at a terminal, unless the environment says otherwise."""
    return {"LOG_FORMAT": "text"} if sys.stdout.isatty() and not Environment(os.environ).has("LOG_FORMAT") else {}


def _has_demo() -> bool:
    places = ("config.management.commands.seed_demo", "config.sandbox.management.commands.seed_demo")
    return any(find_spec(place) for place in places)


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": urlsplit(settings.PUBLIC_URL).netloc})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(address: str, demo: list[str]) -> str:
    lines = ["", f"Latchkey is ready: {address}", "", *demo]
    if not demo:
        lines += [f"  Sign in at {address}/login/; administrators at {address}/admin/.", *_first_user()]
    return "\n".join([*lines, "", "Stop with Ctrl-C. What is kept lies in " + str(settings.VAR_DIR), ""])


def _first_user() -> list[str]:
    return ["  No login yet? .venv/bin/python manage.py createsuperuser"]


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < number < 65536:
        raise ArgumentTypeError(f"{text!r} is no port. Write one from 1 to 65535, such as 8000.")
    return number
