#!/usr/bin/env python
"""Django's command line for Latchkey."""

import errno
import os
import signal
import sys
from io import TextIOWrapper
from typing import TextIO

AT_FIRST = signal.getsignal(signal.SIGINT)
if AT_FIRST is signal.default_int_handler:  # and not ignored, as in the background of a script
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while all of this is loaded is no cause for a traceback

from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import execute_from_command_line  # noqa: E402
from django.db import OperationalError, ProgrammingError  # noqa: E402

# Commands that people run without knowing the code. Elsewhere, as in `shell`, a traceback is what helps.
PLAIN = ("connectors", "create_api_key", "migrate", "rotate_encryption_keys", "seed_demo")


def main() -> None:
    signal.signal(signal.SIGINT, AT_FIRST)
    for stream in (sys.stdout, sys.stderr):
        _write_everything_to(stream)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
        if sys.stdout:
            sys.stdout.flush()  # while a fault can still be told
    except BrokenPipeError:
        # Whoever reads, such as `head`, has enough. What is left to write must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)  # as shells have it; where it was when Ctrl-C came helps nobody
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
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"What this command wrote is not whole: {error.strerror}.")


def _write_everything_to(stream: TextIO | None) -> None:
    """In a locale without UTF-8 a terminal gets a "?" for what it can't show; files and programs get UTF-8."""
    if isinstance(stream, TextIOWrapper):
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8")


if __name__ == "__main__":
    main()
