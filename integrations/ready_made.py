"""The catalogue's connectors → connectors of this platform."""

from collections.abc import Sequence

from connectors.document_changes import Change
from connectors.models import Connector
from connectors.ready_made import file_of
from integrations.importing import FileProblem, import_files


class AlreadyThere(Exception):
    """Connectors with these keys exist; adding them would overwrite what an administrator may have changed."""


def add_from_catalogue(keys: Sequence[str]) -> tuple[list[Change], list[FileProblem]]:
    """Store entries of the catalogue: all of them, or none, and then the problems say why.

    Raises `NotInCatalogue` for an unknown key, `AlreadyThere` for one that is taken.
    """
    files = [str(file_of(key)) for key in keys]
    taken = sorted(Connector.objects.filter(key__in=keys).values_list("key", flat=True))
    if taken:
        raise AlreadyThere(
            f"There already {'is a connector' if len(taken) == 1 else 'are connectors'} {', '.join(taken)}, "
            f"and nothing of {'it' if len(taken) == 1 else 'them'} is overwritten. "
            "Leave out what is there, or remove it first."
        )
    return import_files(files)
