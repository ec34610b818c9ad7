"""Django's `shell`, which reads and writes what keys protect: like everything else it doesn't start without them."""

from typing import Any

from django.core.management.commands.shell import Command as Shell

from config import keys


class Command(Shell):
    def execute(self, *args: Any, **options: Any) -> str | None:
        keys.require()
        return super().execute(*args, **options)
