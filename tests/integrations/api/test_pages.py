"""Lists, a page at a time."""

from datetime import timedelta

import pytest

from connectors.models import Connector
from tenants.models import Event
from tests.tenants.wizard.rows import NOW, make_instance, make_method

pytestmark = pytest.mark.both_databases


def walk(call, path, *, limit, meanwhile=lambda: None):
    """Every item, page by page; `meanwhile` happens after each page."""
    found, cursor = [], None
    for _ in range(50):
        page = call("GET", f"{path}?limit={limit}" + (f"&cursor={cursor}" if cursor else "")).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
        meanwhile()
    raise AssertionError("the pages have no end")


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 200])
def test_pages_hold_everything_once(acme, zoom, call, limit):
    made = [str(make_instance(acme, zoom, name=str(number)).pk) for number in range(6)]

    assert [item["id"] for item in walk(call, "instances", limit=limit)] == sorted(made)


def test_new_and_removed_instances_shift_nothing(acme, zoom, call):
    made = {str(make_instance(acme, zoom, name=str(number)).pk) for number in range(6)}
    names = iter(range(100, 200))

    found = walk(call, "instances", limit=2, meanwhile=lambda: make_instance(acme, zoom, name=str(next(names))))

    ids = [item["id"] for item in found]
    assert len(ids) == len(set(ids))
    assert made <= set(ids)


def test_new_events_shift_nothing(instance, call):
    for seconds in (1, 1, 1, 2, 3):
        at = NOW + timedelta(seconds=seconds)
        instance.events.create(at=at, kind="renewed", status_before="active", status_after="active")
    before = list(Event.objects.values_list("pk", flat=True))

    def happen():
        instance.events.create(
            at=NOW + timedelta(hours=1), kind="renewed", status_before="active", status_after="active"
        )

    found = walk(call, f"instances/{instance.pk}/events", limit=2, meanwhile=happen)

    assert [item["id"] for item in found] == before


def test_connectors_come_in_pages(db, call):
    for key in ("b", "a", "c"):
        make_method(Connector.objects.create(key=key, name=key))
    Connector.objects.create(key="without-a-method", name="Not set up")

    assert [item["key"] for item in walk(call, "connectors", limit=2)] == ["a", "b", "c"]


@pytest.mark.parametrize("cursor", ["", "nonsense", "%F0%9F%98%80", "a:b:c"])
def test_a_cursor_of_another_origin_is_refused(instance, call, cursor):
    response = call("GET", f"instances?cursor={cursor}")

    assert (response.status_code, response.json()["code"]) == (422, "validation_failed")
    assert response.json()["fields"].keys() == {"cursor"}


def test_a_cursor_of_another_list_is_refused(instance, globex_instance, call):
    cursor = call("GET", "instances?limit=1").json()["next_cursor"]

    assert call("GET", f"connectors?cursor={cursor}").status_code == 422


@pytest.mark.parametrize("limit", ["0", "201", "many"])
def test_a_limit_out_of_bounds_is_refused(db, call, limit):
    assert call("GET", f"instances?limit={limit}").json()["fields"].keys() == {"limit"}
