"""Which differences from the catalogue are whose, and taking some of them."""

import pytest

from connectors.merging import ABSENT, Side, compare, merged

BASE = {
    "key": "acme",
    "name": "Acme",
    "auth_methods": [
        {
            "key": "m",
            "variables": [{"key": "a", "label": "A"}, {"key": "c", "label": "C"}],
            "token_request": {"url": "https://old.example.com", "headers": {"X-One": "1"}},
        }
    ],
}


def changed(document, path, value):
    """The document with a value at a path of keys; ABSENT takes it away."""
    if not path:
        return value
    name, inside = path[0], path[1:]
    if isinstance(document, list):
        if name not in [item["key"] for item in document]:
            return [*document, value]
        items = [changed(item, inside, value) if item["key"] == name else item for item in document]
        return [item for item in items if item is not ABSENT]
    copy = {**document, name: changed(document.get(name), inside, value)}
    return {key: item for key, item in copy.items() if item is not ABSENT}


URL = ("auth_methods", "m", "token_request", "url")
HEADER = ("auth_methods", "m", "token_request", "headers", "X-One")
LABEL = ("auth_methods", "m", "variables", "a", "label")
NEW = ("auth_methods", "m", "variables", "b")


def sides(base, here, shipped):
    return {one.path: one.side for one in compare(base, here, shipped)}


def test_a_change_of_the_catalogue_alone_is_new_there():
    assert sides(BASE, BASE, changed(BASE, URL, "https://new.example.com")) == {URL: Side.CATALOGUE}


def test_a_change_made_here_alone_is_ours():
    assert sides(BASE, changed(BASE, URL, "https://ours.example.com"), BASE) == {URL: Side.HERE}


def test_a_place_changed_on_both_sides_is_a_conflict():
    here, shipped = changed(BASE, URL, "https://ours.example.com"), changed(BASE, URL, "https://new.example.com")

    assert sides(BASE, here, shipped) == {URL: Side.BOTH}


def test_the_same_change_on_both_sides_is_no_difference():
    both = changed(BASE, URL, "https://new.example.com")

    assert compare(BASE, both, both) == []


@pytest.mark.parametrize(
    ("here", "shipped", "side"),
    [
        (BASE, changed(BASE, HEADER, ABSENT), Side.CATALOGUE),
        (changed(BASE, HEADER, ABSENT), BASE, Side.HERE),
        (changed(BASE, HEADER, ABSENT), changed(BASE, HEADER, "2"), Side.BOTH),
        (changed(BASE, HEADER, "3"), changed(BASE, HEADER, ABSENT), Side.BOTH),
        (BASE, changed(BASE, HEADER, None), Side.CATALOGUE),
    ],
    ids=["removed there", "removed here", "removed here, changed there", "changed here, removed there", "null there"],
)
def test_what_is_absent_is_told_apart(here, shipped, side):
    assert sides(BASE, here, shipped) == {HEADER: side}


def test_a_variable_removed_here_and_changed_there_is_a_conflict():
    here, shipped = changed(BASE, LABEL[:-1], ABSENT), changed(BASE, LABEL, "Better")

    assert sides(BASE, here, shipped) == {LABEL[:-1]: Side.BOTH}


def test_without_a_known_origin_everything_counts_as_changed_on_both_sides():
    assert sides(None, BASE, changed(BASE, URL, "https://new.example.com")) == {URL: Side.BOTH}


def test_only_what_is_taken_changes():
    shipped = changed(changed(BASE, URL, "https://new.example.com"), LABEL, "Better")
    found = compare(BASE, BASE, shipped)

    result = merged(BASE, shipped, [one for one in found if one.path == LABEL])

    assert result == changed(BASE, LABEL, "Better")


def test_what_is_gone_there_goes():
    shipped = changed(changed(BASE, HEADER, ABSENT), LABEL, "Better")
    found = compare(BASE, BASE, shipped)

    assert merged(BASE, shipped, [one for one in found if one.path == HEADER]) == changed(BASE, HEADER, ABSENT)


def test_a_new_variable_stands_where_the_catalogue_has_it():
    variables = BASE["auth_methods"][0]["variables"]
    shipped = changed(BASE, ("auth_methods", "m", "variables"), [variables[0], {"key": "b"}, variables[1]])
    shipped = changed(shipped, URL, "https://new.example.com")
    found = compare(BASE, BASE, shipped)

    result = merged(BASE, shipped, [one for one in found if one.path == NEW])

    assert [one["key"] for one in result["auth_methods"][0]["variables"]] == ["a", "b", "c"]
    assert result["auth_methods"][0]["token_request"]["url"] == "https://old.example.com"


def test_with_everything_taken_it_is_the_catalogues_to_the_order():
    variables = BASE["auth_methods"][0]["variables"]
    shipped = changed(BASE, ("auth_methods", "m", "variables"), [{"key": "b"}, variables[1], variables[0]])
    here = changed(BASE, URL, "https://ours.example.com")

    assert merged(here, shipped, compare(BASE, here, shipped)) == shipped


def test_a_changed_order_alone_can_be_taken():
    variables = BASE["auth_methods"][0]["variables"]
    here = changed(BASE, URL, "https://ours.example.com")
    shipped = changed(BASE, ("auth_methods", "m", "variables"), variables[::-1])
    found = compare(BASE, here, shipped)

    result = merged(here, shipped, [one for one in found if one.path != URL])

    assert result == changed(here, ("auth_methods", "m", "variables"), variables[::-1])
