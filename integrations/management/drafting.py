"""`manage.py connectors draft SOURCE`: a draft on standard output, what to look at on standard error."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connectors.importers.draft import Draft, NotReadable
from connectors.importers.drafting import KINDS, Kind, draft_of_source
from connectors.importers.fetching import fetcher

INCOMPLETE = 3  # the exit code of a draft that `connectors check` would still refuse


def add_draft(actions: Any) -> None:
    about = (
        "Print a draft of a connector, made from an OpenAPI description, an authorization server's metadata or a cURL "
        f"command. What was not read goes to standard error. Exit code {INCOMPLETE}: something is still to fill in."
    )
    short = "Print a draft of a connector, made from an API's documentation."
    parser: ArgumentParser = actions.add_parser("draft", help=short, description=about)
    source = "A file, the address of a description or of an issuer, a cURL command in quotes, or - for standard input."
    parser.add_argument("names", nargs=1, metavar="SOURCE", help=source)
    parser.add_argument("--as", dest="kind", choices=KINDS, help="What the source is, if it isn't seen by itself.")


def print_draft(command: BaseCommand, source: str, kind: Kind | None) -> None:
    """Raises CommandError: with exit code 1 if there is no draft, with `INCOMPLETE` behind one that isn't whole."""
    draft = _draft(source, kind)
    command.stdout.write(draft.yaml, ending="")
    for remark in draft.remarks:
        command.stderr.write(f"Please check: {remark}")
    for problem in draft.missing:
        command.stderr.write(f"Still to fill in: {problem}")
    if draft.missing:
        raise CommandError("`connectors check` refuses the draft as it stands.", returncode=INCOMPLETE)


def _draft(source: str, kind: Kind | None) -> Draft:
    if not source.strip():
        raise CommandError("There is no draft. SOURCE is empty: name a file, an address, or - for standard input.")
    try:
        return draft_of_source(source, kind=kind, stdin=sys.stdin.buffer.read, fetch=fetcher())
    except NotReadable as error:
        refused = str(error)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "there is no such file"
        refused = f"The file can't be read: {reason}. A cURL command goes into quotes, an address begins with https://."
    raise CommandError(f"There is no draft. {refused}")
