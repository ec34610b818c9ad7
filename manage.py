#!/usr/bin/env python
"""Django's command line for Latchkey."""

import os
import sys
from io import TextIOWrapper
from typing import TextIO

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

# Commands that people run without knowing the code. Elsewhere, as in `shell`, a traceback is what helps.
PLAIN = ("connectors", "create_api_key", "migrate", "rotate_encryption_keys", "seed_demo")


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        _write_everything_to(stream)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Latchkey can't start.\n{error}")
    except (OperationalError, ProgrammingError) as error:
        if sys.argv[1] not in PLAIN or "--traceback" in sys.argv:
            raise
        said = str(error).strip().partition("\n")[0].rstrip(".")
        sys.exit(
            f"The database can't be used: {said}.\n"
            "If it was never prepared, or is older than this version, run manage.py migrate; otherwise see whether "
            "DATABASE_URL is right and its server runs. With --traceback the command says where it failed."
        )


def _write_everything_to(stream: TextIO | None) -> None:
    """In a locale without UTF-8 a terminal gets a "?" for what it can't show; files and programs get UTF-8."""
    if isinstance(stream, TextIOWrapper):
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8")


if __name__ == "__main__":
    main()
