"""`manage.py connectors catalogue` and `connectors add-from-catalogue`."""

import io

import pytest
from django.core.management import CommandError, call_command

from connectors import ready_made
from connectors.models import Connector
from tenants.models import Instance, InstanceValues, Tenant
from tests.connectors.catalogue_versions import as_if_older, document

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
        "`manage.py connectors catalogue --difference KEY` shows how one differs from the catalogue, "
        "`connectors add-from-catalogue --update KEY` takes what is new there."
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


def test_an_entry_can_be_added_under_another_key() -> None:
    assert run("add-from-catalogue", "toast", "--as", "toast-eu") == "toast-eu: created\n"


def test_one_key_of_its_own_is_for_one_entry() -> None:
    with pytest.raises(CommandError, match="--as goes with one key"):
        run("add-from-catalogue", "toast", "marketo", "--as", "both")


def test_outdated_connectors_are_listed_and_their_difference_shown() -> None:
    run("add-from-catalogue", "toast", "marketo")
    before = run("catalogue", "--outdated")
    as_if_older("toast", description="Old words.")

    assert before == "Every connector that came from the catalogue is up to date with it.\n"
    assert run("catalogue", "--outdated").startswith("toast: newer in the catalogue")
    shown = run("catalogue", "--difference", "toast")
    assert shown.startswith("New in the catalogue (here → there):\n  description: “Old words.” → “")
    assert run("catalogue", "--difference", "marketo") == "marketo is as the catalogue has it.\n"


def test_an_update_takes_what_is_new_and_leaves_what_was_changed_here() -> None:
    run("add-from-catalogue", "toast")
    as_if_older("toast", description="Old words.")
    Connector.objects.update(name="Our Toast")

    said = run("add-from-catalogue", "--update", "toast")

    assert said == "toast: changed (description)\n  As it is here: name.\n"
    assert Connector.objects.get().name == "Our Toast"


def test_an_update_that_breaks_instances_is_refused_until_it_is_told_to() -> None:
    run("add-from-catalogue", "zoom")
    (shipped,) = document("zoom")["auth_methods"]
    request = {**shipped["token_request"], "body": {"grant_type": "{{grant_type}}"}}
    as_if_older("zoom", auth_methods=[{**shipped, "variables": [], "token_request": request}])
    tenant = Tenant.objects.create(key="acme", name="Acme")
    method = Connector.objects.get().auth_methods.get()
    instance = Instance.objects.create(tenant=tenant, auth_method=method, status="active")
    InstanceValues.objects.create(instance=instance, values={"client_id": "id", "client_secret": "s"})

    with pytest.raises(CommandError, match=r"Nothing was changed\. The change would break 1 instance"):
        run("add-from-catalogue", "--update", "zoom")
    kept = method.variables.filter(key="account_id").exists()
    run("add-from-catalogue", "--update", "zoom", "--break-instances")

    instance.refresh_from_db()
    assert not kept
    assert instance.status_reason.startswith("The definition now asks for Account ID")


@pytest.mark.parametrize(
    "arguments", [("catalogue", "--difference", "nobody"), ("add-from-catalogue", "--update", "nobody")]
)
def test_what_is_not_there_can_neither_be_compared_nor_updated(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="There is no connector nobody on this platform"):
        run(*arguments)
