"""`manage.py create_api_key`: a key to the HTTP API, shown once."""

import re
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connectors.oauth2.problems import did_you_mean
from integrations import keys
from integrations.models import ApiKey, Integration
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Makes a key to the HTTP API and prints it, this once: only its hash is stored. Without --integration it "
        "reaches every integration, without --tenant every tenant, without --scope everything that the API can do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="Who uses the key, and what for.")
        parser.add_argument("--integration", metavar="KEY", help="Only what this integration's components read.")
        parser.add_argument("--tenant", metavar="KEY", help="Only this tenant's instances.")
        parser.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            choices=ApiKey.Scope.values,
            help="What the key may do; may be repeated.",
        )
        parser.add_argument("--expires-in", type=_days, metavar="DAYS", help="Without it the key has no expiry.")

    def handle(
        self,
        *args: Any,
        name: str,
        integration: str | None,
        tenant: str | None,
        scopes: list[str] | None,
        expires_in: int | None,
        **options: Any,
    ) -> None:
        if not name.strip() or len(name) > 200 or not name.isprintable():
            raise CommandError("NAME must be one line of 1 to 200 characters.")
        key, text = keys.issue(
            name.strip(),
            scopes=scopes or ApiKey.Scope.values,
            integration=_integration(integration),
            tenant=_tenant(tenant),
            expires_at=None if expires_in is None else timezone.now() + timedelta(days=expires_in),
        )
        # The key alone goes to stdout, so that it can be piped into a secrets manager.
        self.stderr.write(f"{_described(key)} It is shown this once; send it as “Authorization: Bearer KEY”.")
        self.stdout.write(text)


def _described(key: ApiKey) -> str:
    bounds = [
        f"for the integration {key.integration.key}" if key.integration else "for every integration",
        f"for the tenant {key.tenant.key}" if key.tenant else "for every tenant",
        f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "without an expiry",
    ]
    return f"API key “{key.name}”, {', '.join(bounds)}, with the scopes {', '.join(key.scopes)}."


def _integration(key: str | None) -> Integration | None:
    if key is None:
        return None
    found = Integration.objects.filter(key=key).first()
    if found is None:
        names = Integration.objects.order_by("key").values_list("key", flat=True)[:50]
        raise CommandError(f"There is no integration “{key}”. {did_you_mean(key, names)}")
    return found


def _tenant(key: str | None) -> Tenant | None:
    if key is None:
        return None
    found = Tenant.objects.filter(key=key).first()
    if found is None:
        names = Tenant.objects.order_by("key").values_list("key", flat=True)[:50]
        raise CommandError(f"There is no tenant “{key}”. {did_you_mean(key, names)}")
    return found


def _days(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or not 1 <= int(text) <= 3650:
        raise ArgumentTypeError(f"{text!r} is no number of days. Write one from 1 to 3650, such as 90.")
    return int(text)
