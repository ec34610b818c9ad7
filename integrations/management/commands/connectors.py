"""`manage.py connectors …`: definitions as YAML files, and the catalogue of those that come with the platform."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from connectors import ready_made
from connectors.adopting import AlreadyThere, Comparison, Moved, add, comparison, outdated_keys, take, untouched
from connectors.document_changes import Change
from connectors.documents import DocumentRefused
from connectors.effects import shown
from connectors.impact import WouldBreak
from connectors.importers.drafting import Kind
from connectors.merging import ABSENT, Side
from connectors.models import Connector
from connectors.yaml_writing import write_documents
from integrations.exporting import UnknownKey, export_documents
from integrations.importing import FileProblem, check_files, import_files, is_migrated
from integrations.management import trying
from integrations.management.drafting import add_draft, print_draft
from integrations.management.progress import Counter
from integrations.management.trying import add_try
from integrations.schema import json_schema

BREAK = "--break-instances"
BREAK_HELP = "Make the change although instances will no longer work with it; they are marked."
FILES = "YAML files; - reads from standard input."
SIDES = {
    Side.CATALOGUE: "New in the catalogue (here → there):",
    Side.BOTH: "New in the catalogue, and changed here too (here → there):",
    Side.HERE: "Changed here alone (here → there):",
}


class Command(BaseCommand):
    help = "Bring connectors and integrations in and out as YAML files."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        about = "Store the files' documents: all of them, or none if one is wrong."
        self._add(actions, "import", about, FILES).add_argument(BREAK, action="store_true", help=BREAK_HELP)
        self._add(actions, "check", "Say what is wrong with the files' documents; nothing is stored.", FILES)
        export = actions.add_parser("export", help="Print documents as YAML.", description="Print documents as YAML.")
        export.add_argument(
            "names", nargs="*", metavar="KEY", help="Connectors and integrations; all if none is given."
        )
        self._add_catalogue(actions)
        add_draft(actions)
        about = "Print the JSON Schema of the format, for editors."
        actions.add_parser("schema", help=about, description=about)
        add_try(actions.add_parser("try", help=trying.WORDS, description=trying.WORDS))

    def _add(self, actions: Any, name: str, about: str, names: str, *, metavar: str = "FILE") -> ArgumentParser:
        parser: ArgumentParser = actions.add_parser(name, help=about, description=about)
        parser.add_argument("names", nargs="+", metavar=metavar, help=names)
        return parser

    def _add_catalogue(self, actions: Any) -> None:
        about = "Store connectors of the catalogue: all that are named, or none."
        keys = "Keys, as `connectors catalogue` lists them."
        adding = self._add(actions, "add-from-catalogue", about, keys, metavar="KEY")
        adding.add_argument("--as", dest="as_key", metavar="KEY", help="Give the one connector another key.")
        adding.add_argument(
            "--update",
            action="store_true",
            help="Of connectors that are there: take what is new in the catalogue and wasn't changed here.",
        )
        adding.add_argument(BREAK, action="store_true", help=BREAK_HELP)
        about = "List the connectors of the catalogue, by category."
        listing = actions.add_parser("catalogue", help=about, description=about)
        one = listing.add_mutually_exclusive_group()
        one.add_argument(
            "--outdated", action="store_true", help="List connectors of this platform with a newer version there."
        )
        one.add_argument("--difference", metavar="KEY", help="Show how a connector differs from its entry.")

    def handle(self, *, action: str, names: Sequence[str] = (), **options: Any) -> None:
        needs_database = action in ("import", "export", "add-from-catalogue")
        needs_database |= bool(options.get("outdated") or options.get("difference"))
        if needs_database and not is_migrated():
            if connection.vendor != "sqlite":
                connection.ensure_connection()  # a server that can't be reached is another matter, and raises
            raise CommandError("There is no database yet. Run scripts/run, or manage.py migrate, once.")
        actions: dict[str, Callable[..., None]] = {
            "import": self._import,
            "check": self._check,
            "export": self._export,
            "add-from-catalogue": self._add_from_catalogue,
            "catalogue": self._catalogue,
            "draft": self._draft,
            "schema": self._schema,
            "try": self._try,
        }
        actions[action](names, **options)

    def _try(self, names: Sequence[str], *, method: str | None, connector: str | None, **options: Any) -> None:
        refused = ""
        try:
            trying.refuse_two_readers(names[0], options["files"])
            batch = check_files(names)
            self._refuse(batch.problems, "Nothing was sent")
            chosen = trying.chosen_method(batch.connectors, connector, method)
            worked, lines = trying.run_trial(chosen, options)
        except trying.CantTry as error:
            refused = str(error)
        if refused:
            raise CommandError(refused)
        for line in lines:
            self.stdout.write(line)
        if not worked:
            raise CommandError("No token that works was issued.")

    def _import(self, names: Sequence[str], *, break_instances: bool = False, **options: Any) -> None:
        with self._refusing("Nothing was imported."):
            changes, problems = import_files(names, confirmed=break_instances, progress=Counter(self.stdout))
        self._refuse(problems, "Nothing was imported")
        self._tell(changes)

    def _tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.stdout.write(str(change))
            for effect in change.effects:
                self.stdout.write(f"  {effect}")

    @contextmanager
    def _refusing(self, what: str) -> Iterator[None]:
        """Turn what the services refuse into a `CommandError` that opens with `what` was not done."""
        refused = ""
        try:
            yield
        except WouldBreak as error:
            for line in error.lines():
                self.stderr.write(line)
            refused = f"{error} To make it all the same, and to mark these instances, add {BREAK}."
        except (ready_made.NotInCatalogue, AlreadyThere, DocumentRefused, Moved) as error:
            refused = str(error)
        if refused:
            raise CommandError(f"{what} {refused}")

    def _check(self, names: Sequence[str], **options: Any) -> None:
        batch = check_files(names)
        self._refuse(batch.problems, "The files can't be imported")
        documents = len(batch.entries)
        self.stdout.write(f"{documents} document{'' if documents == 1 else 's'}: nothing is wrong.")

    def _refuse(self, problems: Sequence[FileProblem], what: str) -> None:
        if not problems:
            return
        for problem in problems:
            self.stderr.write(str(problem))
        files = len({problem.file for problem in problems})
        counted = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        raise CommandError(f"{what}: {counted} in {files} file{'' if files == 1 else 's'}.")

    def _export(self, names: Sequence[str], **options: Any) -> None:
        unknown = ""
        try:
            documents = export_documents(names)
        except UnknownKey as error:
            unknown = str(error)
        if unknown:
            raise CommandError(unknown)
        if documents:
            self.stdout.write(write_documents(documents), ending="")

    def _add_from_catalogue(
        self,
        names: Sequence[str],
        *,
        as_key: str | None = None,
        update: bool = False,
        break_instances: bool = False,
        **options: Any,
    ) -> None:
        if as_key and (len(names) > 1 or update):
            raise CommandError("Nothing was added. --as goes with one key, and not with --update.")
        if update:
            self._update(names, break_instances=break_instances)
            return
        with self._refusing("Nothing was added."):
            changes = add({name: as_key or name for name in names})
        self._tell(changes)

    def _update(self, names: Sequence[str], *, break_instances: bool) -> None:
        with self._refusing("Nothing was changed."), transaction.atomic():
            for name in names:
                found = self._compared(name)
                counter = Counter(self.stdout)
                self._tell([take(found, untouched(found), confirmed=break_instances, progress=counter)])
                left = [one for one in self._compared(name).differences if one.side is Side.HERE]
                if left:
                    self.stdout.write(f"  As it is here: {', '.join(one.place for one in left)}.")

    def _compared(self, key: str) -> Comparison:
        missing = False
        try:
            return comparison(key)
        except Connector.DoesNotExist:
            missing = True
        except ready_made.NotInCatalogue:
            pass
        if missing:
            raise CommandError(f"There is no connector {key} on this platform. Add it first.")
        raise CommandError(f"The catalogue has no entry for the connector {key}.")

    def _catalogue(
        self, names: Sequence[str], *, outdated: bool = False, difference: str | None = None, **options: Any
    ) -> None:
        if outdated:
            keys = list(outdated_keys())
            for key in keys:
                self.stdout.write(f"{key}: newer in the catalogue; `connectors catalogue --difference {key}` shows it")
            if not keys:
                self.stdout.write("Every connector that came from the catalogue is up to date with it.")
            return
        if difference:
            self._difference(difference)
            return
        for category, entries in ready_made.by_category():
            self.stdout.write(f"{category}:")
            for entry in entries:
                self.stdout.write(f"  {entry.key:<28} {entry.name}: {entry.description}")

    def _difference(self, key: str) -> None:
        found = self._compared(key).differences
        if not found:
            self.stdout.write(f"{key} is as the catalogue has it.")
        for side, heading in SIDES.items():
            of_side = [one for one in found if one.side is side]
            if of_side:
                self.stdout.write(heading)
            for one in of_side:
                self.stdout.write(f"  {one.place}: {_words(one.here)} → {_words(one.shipped)}")

    def _draft(self, names: Sequence[str], *, kind: Kind | None, **options: Any) -> None:
        print_draft(self, names[0], kind)

    def _schema(self, names: Sequence[str], **options: Any) -> None:
        self.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def _words(value: Any) -> str:
    return "nothing" if value is ABSENT else "null" if value is None else shown(value)
