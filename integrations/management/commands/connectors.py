"""`manage.py connectors …`: definitions as YAML files, and the catalogue of those that come with the platform."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors import ready_made
from connectors.yaml_writing import write_documents
from integrations.exporting import UnknownKey, export_documents, json_schema
from integrations.importing import FileProblem, check_files, import_files, is_migrated
from integrations.ready_made import AlreadyThere, add_from_catalogue

FILES = "YAML files; - reads from standard input."


class Command(BaseCommand):
    help = "Bring connectors and integrations in and out as YAML files."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        self._add(actions, "import", "Store the files' documents: all of them, or none if one is wrong.", FILES)
        self._add(actions, "check", "Say what is wrong with the files' documents; nothing is stored.", FILES)
        export = actions.add_parser("export", help="Print documents as YAML.", description="Print documents as YAML.")
        export.add_argument(
            "names", nargs="*", metavar="KEY", help="Connectors and integrations; all if none is given."
        )
        about = "Store connectors of the catalogue: all that are named, or none."
        self._add(actions, "add-from-catalogue", about, "Keys, as `connectors catalogue` lists them.", metavar="KEY")
        about = "List the connectors of the catalogue, by category."
        actions.add_parser("catalogue", help=about, description=about)
        about = "Print the JSON Schema of the format, for editors."
        actions.add_parser("schema", help=about, description=about)

    def _add(self, actions: Any, name: str, about: str, names: str, *, metavar: str = "FILE") -> None:
        parser: ArgumentParser = actions.add_parser(name, help=about, description=about)
        parser.add_argument("names", nargs="+", metavar=metavar, help=names)

    def handle(self, *, action: str, names: Sequence[str] = (), **options: Any) -> None:
        if action in ("import", "export") and not is_migrated():
            raise CommandError("There is no database yet. Run scripts/run, or manage.py migrate, once.")
        {
            "import": self._import,
            "check": self._check,
            "export": self._export,
            "add-from-catalogue": self._add_from_catalogue,
            "catalogue": self._catalogue,
            "schema": self._schema,
        }[action](names)

    def _import(self, names: Sequence[str]) -> None:
        changes, problems = import_files(names)
        self._refuse(problems, "Nothing was imported")
        for change in changes:
            self.stdout.write(str(change))

    def _check(self, names: Sequence[str]) -> None:
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

    def _export(self, names: Sequence[str]) -> None:
        unknown = ""
        try:
            documents = export_documents(names)
        except UnknownKey as error:
            unknown = str(error)
        if unknown:
            raise CommandError(unknown)
        if documents:
            self.stdout.write(write_documents(documents), ending="")

    def _add_from_catalogue(self, names: Sequence[str]) -> None:
        refused = ""
        try:
            changes, problems = add_from_catalogue(names)
        except (ready_made.NotInCatalogue, AlreadyThere) as error:
            refused = str(error)
        if refused:
            raise CommandError(f"Nothing was added. {refused}")
        self._refuse(problems, "Nothing was added")
        for change in changes:
            self.stdout.write(str(change))

    def _catalogue(self, names: Sequence[str]) -> None:
        for category, entries in ready_made.by_category():
            self.stdout.write(f"{category}:")
            for entry in entries:
                self.stdout.write(f"  {entry.key:<28} {entry.name}: {entry.description}")

    def _schema(self, names: Sequence[str]) -> None:
        self.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False))
