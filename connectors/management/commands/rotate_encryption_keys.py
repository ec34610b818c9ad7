"""`manage.py rotate_encryption_keys`: what is stored goes under the first of FERNET_KEYS."""

import re
from argparse import ArgumentTypeError
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from connectors.rotation import Outcome, models_with_secrets, rotate


class Command(BaseCommand):
    help = (
        "Re-encrypts every stored secret and token with the first key of FERNET_KEYS. The system may go on running; "
        "interrupted, it goes on where it stopped when it is run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--database",
            default=DEFAULT_DB_ALIAS,
            choices=tuple(connections),
            help="Whose rows, where the settings name several.",
        )
        parser.add_argument("--batch-size", type=_positive, default=200, help="Rows read at a time (default: 200).")

    def handle(self, *args: Any, database: str, batch_size: int, **options: Any) -> None:
        total = Outcome()
        for model in models_with_secrets(database):
            label = model._meta.label
            rows = model._base_manager.using(database).count()
            total.add(rotate(model, using=database, batch=batch_size, progress=partial(self._progress, label, rows)))
        self._summary(total)

    def _progress(self, label: str, rows: int, so_far: Outcome) -> None:
        if self.stdout.isatty():
            done = so_far.checked
            self.stdout.write(f"\r{label}: {done} of {max(rows, done)}", ending="\n" if done >= rows else "")
            self.stdout.flush()

    def _summary(self, total: Outcome) -> None:
        self.stdout.write(
            f"{total.checked} rows checked, {total.renewed} re-encrypted, {len(total.unreadable)} secrets unreadable."
        )
        for name in total.unreadable:
            self.stderr.write(f"Unreadable: {name}")
        for name in total.contended:
            self.stderr.write(f"Not re-encrypted, as it kept being changed: {name}")
        if total.unreadable:
            raise CommandError(
                "None of the keys in FERNET_KEYS decrypts the secrets listed above. Add the key that they were written "
                "with and run this again, or have their owners set them anew. Don't remove any key until then."
            )
        if total.contended:
            raise CommandError("Run this again. Don't remove any key until then.")
        self.stdout.write(
            "Every stored secret is under the first key now. Once every process (web, workers, scheduler) has been "
            "restarted with that key first, run this once more; when it re-encrypts nothing, remove the other keys "
            "from FERNET_KEYS."
        )


def _positive(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of rows. Write one from 1 to 999999, such as 200.")
    return int(text)
