"""`manage.py connectors catalogue` and `connectors add-from-catalogue`."""

import io

import pytest
from django.core.management import CommandError, call_command

from connectors import ready_made
from connectors.models import Connector

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("connectors", *arguments, stdout=out)
    return out.getvalue()


def test_entries_of_the_catalogue_become_connectors() -> None:
    said = run("add-from-catalogue", "toast", "marketo")

    assert said.splitlines() == ["toast: created", "marketo: created"]
    assert Connector.objects.get(key="toast").auth_methods.get().key == "machine-client"


def test_every_entry_can_be_added_together() -> None:
    run("add-from-catalogue", *ready_made.keys())

    assert sorted(Connector.objects.values_list("key", flat=True)) == ready_made.keys()


def test_a_connector_that_is_there_is_left_as_it_is_and_nothing_else_is_added() -> None:
    Connector.objects.create(key="toast", name="Ours")

    with pytest.raises(CommandError) as refused:
        run("add-from-catalogue", "marketo", "toast")

    assert str(refused.value) == (
        "Nothing was added. There already is a connector toast, and nothing of it is overwritten. "
        "Leave out what is there, or remove it first."
    )
    assert list(Connector.objects.values_list("key", "name")) == [("toast", "Ours")]


def test_an_unknown_key_is_answered_with_the_nearest_and_nothing_is_added() -> None:
    with pytest.raises(CommandError, match=r"Nothing was added\. .*“tost”\. Did you mean toast\?"):
        run("add-from-catalogue", "marketo", "tost")

    assert not Connector.objects.exists()


def test_the_catalogue_is_listed_by_category() -> None:
    lines = run("catalogue").splitlines()

    marketing, security = lines.index("marketing:"), lines.index("security:")
    assert marketing < lines.index(next(line for line in lines if line.startswith("  marketo "))) < security
