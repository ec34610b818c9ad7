"""Connectors that came from the catalogue: what they remember, and taking what is new there."""

import pytest

from connectors import ready_made
from connectors.adopting import Moved, add, comparison, outdated_keys, take, untouched
from connectors.documents import DocumentRefused, store_connector
from connectors.merging import Side
from connectors.models import CatalogueOrigin
from connectors.oauth2 import definition
from tests.connectors.catalogue_versions import as_if_older, change_here, document

pytestmark = pytest.mark.django_db


@pytest.fixture
def zoom():
    add({"zoom": "zoom"})


def test_an_added_connector_is_the_entry_and_up_to_date(zoom):
    found = comparison("zoom")

    assert document("zoom") == ready_made.entry("zoom").stated()
    assert (found.differences, found.is_outdated, list(outdated_keys())) == ([], False, [])


def test_every_entry_differs_in_nothing_from_what_comes_of_it():
    keys = ready_made.keys()

    add({key: key for key in keys})

    assert [key for key in keys if comparison(key).differences] == []


def test_an_entry_added_under_another_key_still_knows_where_it_came_from():
    add({"zoom": "zoom-eu"})

    assert document("zoom-eu")["key"] == "zoom-eu"
    assert comparison("zoom-eu").differences == []
    as_if_older("zoom-eu", description="Old words.")
    assert list(outdated_keys()) == ["zoom-eu"]


def test_a_newer_entry_is_noticed_and_what_is_new_told(zoom):
    as_if_older("zoom", description="Old words.")

    found = comparison("zoom")

    assert list(outdated_keys()) == ["zoom"]
    assert [(one.path, one.was, one.side) for one in found.differences] == [
        (("description",), "Old words.", Side.CATALOGUE)
    ]


def test_what_was_changed_here_alone_makes_nothing_outdated(zoom):
    change_here("zoom", description="Our words.")

    assert list(outdated_keys()) == []
    assert [one.side for one in comparison("zoom").differences] == [Side.HERE]


def test_what_is_taken_is_stored_and_the_new_version_remembered(zoom):
    as_if_older("zoom", description="Old words.", category="old")
    change_here("zoom", name="Our Zoom")
    found = comparison("zoom")

    take(found, untouched(found))

    shipped = ready_made.entry("zoom").stated()
    assert document("zoom") == {**shipped, "name": "Our Zoom"}
    assert list(outdated_keys()) == []


def test_what_is_not_taken_nags_no_more_but_stays_visible_and_can_be_taken_later(zoom):
    as_if_older("zoom", description="Old words.")

    take(comparison("zoom"), [])

    found = comparison("zoom")
    assert document("zoom")["description"] == "Old words."
    assert list(outdated_keys()) == []
    assert [(one.path, one.side) for one in found.differences] == [(("description",), Side.HERE)]
    take(found, [one.id for one in found.differences])
    assert comparison("zoom").differences == []


def test_it_nags_again_when_the_entry_changes_anew(zoom):
    as_if_older("zoom", description="Old words.")
    take(comparison("zoom"), [])

    as_if_older("zoom", category="older still")

    assert list(outdated_keys()) == ["zoom"]


def test_differences_that_were_shown_before_another_change_are_not_taken(zoom):
    as_if_older("zoom", description="Old words.")
    shown = comparison("zoom")
    change_here("zoom", name="Changed meanwhile")

    with pytest.raises(Moved, match="Look at them once more"):
        take(shown, untouched(shown))

    assert document("zoom")["description"] == "Old words."


def test_what_would_make_no_good_definition_is_refused_whole_and_not_remembered(zoom):
    method = {**document("zoom")["auth_methods"][0], "variables": []}
    request = {**method["token_request"], "body": {"grant_type": "{{grant_type}}"}}
    as_if_older("zoom", description="Old words.", auth_methods=[{**method, "token_request": request}])
    found = comparison("zoom")
    body = [one.id for one in found.differences if one.path[-1] in ("account_id", "description") and "body" in one.path]

    with pytest.raises(DocumentRefused, match="account_id"):
        take(found, [*body, *[one.id for one in found.differences if one.path == ("description",)]])

    assert document("zoom")["description"] == "Old words."
    assert list(outdated_keys()) == ["zoom"]


def test_a_connector_that_merely_has_an_entrys_key_can_be_compared_and_adopted():
    ours = {**ready_made.entry("zoom").stated(), "description": "Ours."}
    store_connector(definition.Connector.model_validate(ours))

    found = comparison("zoom")

    assert not found.is_outdated
    assert [one.side for one in found.differences] == [Side.BOTH]
    assert untouched(found) == []
    take(found, [])
    assert CatalogueOrigin.objects.get().entry == "zoom"


def test_an_entry_that_left_the_catalogue_is_outdated_no_more(zoom):
    CatalogueOrigin.objects.update(entry="gone-from-the-catalogue")

    assert list(outdated_keys()) == []
