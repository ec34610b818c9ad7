"""The catalogue proves the language: every quirk class of the contract has at least two real connectors.

Where real, confirmed providers could not be found for a class, `WANTING` says so, and why; other tests try the class
with definitions of their own. `python -m tests.connectors.catalogue_quirks` prints who belongs to each class.
"""

import pytest

from connectors import ready_made
from tests.connectors.catalogue_quirks import QUIRKS, by_quirk

WANTING = {
    "lifetime in minutes": "SAP Business One alone.",
}


@pytest.fixture(scope="module")
def found():
    return by_quirk()


def test_the_catalogue_holds_at_least_120_connectors():
    assert len(ready_made.keys()) >= 120


@pytest.mark.parametrize("quirk", [quirk for quirk in QUIRKS if quirk not in WANTING])
def test_at_least_two_connectors_show_each_quirk(quirk, found):
    assert len(found[quirk]) >= 2, f"only {found[quirk]}"


def test_every_connector_shows_some_quirk(found):
    shown = {key for keys in found.values() for key in keys}

    assert shown == set(ready_made.keys())


@pytest.mark.parametrize("quirk", WANTING)
def test_nothing_is_called_wanting_that_was_found(quirk, found):
    assert len(found[quirk]) < 2
