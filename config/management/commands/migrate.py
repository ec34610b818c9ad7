"""Django's `migrate`, which also makes the keys of an embedded database: both are born together."""

from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from config import folders, keys


class Command(Migrate):
    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before the system checks, which refuse to go on without keys.
        keys.prepare()
        folders.make_all()
        return super().execute(*args, **options)
