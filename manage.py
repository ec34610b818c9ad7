#!/usr/bin/env python
"""Django's command line for Latchkey."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

# Commands that people run without knowing the code. Elsewhere, as in `shell`, a traceback is what helps.
PLAIN = ("connectors", "create_api_key", "migrate", "rotate_encryption_keys", "seed_demo")


def main() -> None:
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


if __name__ == "__main__":
    main()
