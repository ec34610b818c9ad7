"""`manage.py seed_demo`: everything that is needed to try Latchkey with no account anywhere."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config.demo.logins import Login, make_logins
from config.demo.sandbox import Credentials, load_documents, make_client, point_at

OFF = (
    "The demo needs the sandbox, and the sandbox is off. Set SANDBOX=1 (on a machine of your own: it hands out tokens "
    "to whoever signs in here), run `manage.py migrate`, and then this again. `manage.py up` does all of it by itself."
)
AGAIN = "make new ones with `manage.py seed_demo --new-passwords`"


class Command(BaseCommand):
    help = "Load the demo: the sandbox's connector, an integration, two tenants and three users. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new-passwords", action="store_true", help="give the demo's users new passwords and print them"
        )

    def handle(self, *args: Any, new_passwords: bool, **options: Any) -> None:
        if not (settings.SANDBOX and settings.SANDBOX_INSTALLED):
            raise CommandError(OFF)
        with transaction.atomic():
            if problems := load_documents():
                raise CommandError("\n".join(str(problem) for problem in problems))
            point_at(f"{settings.PUBLIC_URL}/sandbox")
            logins = make_logins(new_passwords=new_passwords)
            client = make_client()
        self.stdout.write("\n".join(_report(settings.PUBLIC_URL, logins, client)))


def _report(address: str, logins: list[Login], client: Credentials | None) -> list[str]:
    return [
        *_login_lines(address, logins),
        *(_client_lines(client) if client else []),
        "",
        "  What to do next",
        f"    1. Sign in as acme, and connect the Sandbox:   {address}/",
        f"    2. Find a client ID and make a secret for it:  {address}/sandbox/console/",
        f"    3. See it from the administrator's side:       {address}/admin/",
        "  docs/quickstart.md takes you through it in five minutes.",
    ]


def _login_lines(address: str, logins: list[Login]) -> list[str]:
    lines = [f"  Sign in at {address}/login/", ""]
    lines += [f"    {login.username:<8}{login.password or '(as before)':<18}{login.role}" for login in logins]
    kept = [login for login in logins if not login.password]
    if len(kept) == len(logins):
        return [*lines, "", "  The passwords were printed when they were made;", f"  {AGAIN}."]
    note = "  These passwords are shown this once and stored only as hashes."
    return [*lines, "", note, *([f"  The others were printed when they were made; {AGAIN}."] if kept else [])]


def _client_lines(client: Credentials) -> list[str]:
    return [
        "",
        "  A client of the sandbox for acme, its secret shown this once too",
        "",
        f"    Client ID      {client.client_id}",
        f"    Client secret  {client.client_secret}",
    ]
