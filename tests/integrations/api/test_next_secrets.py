"""Changing a secret without an outage, and saying when it runs out, by HTTP."""

from datetime import UTC, datetime

import pytest

from integrations.models import ApiKey
from tenants.models import Instance, InstanceValues, NextValues, Token
from tenants.signals import settled
from tests.integrations.api.conftest import Caller
from tests.tenants.wizard.rows import SECRET, make_instance
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET

pytestmark = pytest.mark.both_databases

OVERLAP = {"values": {"client_secret": GOOD_SECRET}, "overlap": True}
LATER = {"values": {"client_secret": BAD_SECRET}, "overlap": True}


@pytest.fixture
def works(instance):
    """The instance's present secret is known to the provider."""
    instance.filled_in.values = {"client_id": "the-client", "client_secret": GOOD_SECRET}
    instance.filled_in.save()
    return instance


@pytest.fixture
def path(instance):
    return f"instances/{instance.pk}"


def stored(instance):
    return InstanceValues.objects.get(pk=instance.pk).values["client_secret"]


def test_a_next_secret_that_works_has_taken_over_when_the_call_returns(instance, path, server, call):
    body = call("PATCH", path, {**OVERLAP, "secret_expires_at": "2027-01-31T00:00:00Z"}).json()

    assert body["next_secret"] is None
    assert body["secret_expires_at"] == "2027-01-31T00:00:00Z"
    assert body["status"] == "active"
    assert stored(instance) == GOOD_SECRET


def test_one_that_is_not_known_yet_waits_and_the_present_one_goes_on(works, path, call):
    response = call("PATCH", path, {**LATER, "secret_expires_at": "2027-01-31T01:00:00+01:00"})

    body = response.json()
    assert response.status_code == 200
    assert body["status"] == "active"
    assert body["next_secret"]["added_at"] is not None
    assert body["next_secret"]["refused_at"] is not None
    assert "Unknown client" in body["next_secret"]["detail"]
    assert body["next_secret"]["secret_expires_at"] == "2027-01-31T00:00:00Z"
    assert body["secret_expires_at"] is None
    assert stored(works) == GOOD_SECRET
    assert BAD_SECRET not in response.text
    assert GOOD_SECRET not in response.text


def test_a_list_tells_of_it_too(works, path, call):
    call("PATCH", path, LATER)

    (item,) = call("GET", "instances").json()["items"]

    assert item["next_secret"] == call("GET", path).json()["next_secret"]
    assert "values" not in item


def test_it_is_kept_where_neither_works_and_the_status_says_so(instance, path, call):
    body = call("PATCH", path, LATER).json()

    assert body["next_secret"] is not None
    assert (body["status"], body["error"]["code"]) == ("action_required", "credentials_refused")


def test_a_paused_instance_keeps_it_untried(works, path, server, call):
    call("PATCH", path, {"paused": True})
    before = server.requests

    body = call("PATCH", path, OVERLAP).json()

    assert body["status"] == "paused"
    assert body["next_secret"]["refused_at"] is None
    assert server.requests == before


def test_values_without_an_overlap_forget_the_next_one(works, path, call):
    call("PATCH", path, LATER)

    assert call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}}).json()["next_secret"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"overlap": True}, "overlap"),
        ({"overlap": True, "values": {}}, "overlap"),
        ({"overlap": True, "values": {"scope": None}}, "scope"),
        ({"overlap": True, "values": {"no_such": "x"}}, "no_such"),
        ({"secret_expires_at": "tomorrow"}, "secret_expires_at"),
        ({"secret_expires_at": "2027-01-31"}, "secret_expires_at"),
        ({"secret_expires_at": "2027-02-31T00:00:00Z"}, "secret_expires_at"),
        ({"secret_expires_at": "0001-01-01T00:00:00+14:00"}, "secret_expires_at"),
        ({"secret_expires_at": 1800000000}, "secret_expires_at"),
    ],
)
def test_nonsense_is_refused_with_nothing_stored(instance, path, server, call, body, field):
    response = call("PATCH", path, {"name": "renamed", **body})

    assert response.status_code == 422
    assert list(response.json()["fields"]) == [field]
    assert not NextValues.objects.exists()
    assert Instance.objects.get().name == instance.name
    assert server.requests == 0


@pytest.mark.parametrize(("name", "status"), [("EMEA", 409), ("\u202eAEME", 422)])
def test_a_name_that_can_t_be_had_leaves_no_next_secret(works, path, call, name, status):
    make_instance(works.tenant, works.auth_method, name="EMEA")

    response = call("PATCH", path, {**LATER, "name": name})

    assert response.status_code == status
    assert not NextValues.objects.exists()


def test_when_a_secret_runs_out_can_be_said_and_taken_back(instance, path, server, call):
    said = call("PATCH", path, {"secret_expires_at": "2027-01-31T00:00:00Z"}).json()
    kept = call("PATCH", path, {"name": "other"}).json()
    back = call("PATCH", path, {"secret_expires_at": None}).json()

    assert said["secret_expires_at"] == kept["secret_expires_at"] == "2027-01-31T00:00:00Z"
    assert back["secret_expires_at"] is None
    assert server.requests == 0


def test_new_values_have_the_expiry_that_comes_with_them(works, path, call):
    call("PATCH", path, {"secret_expires_at": "2027-01-31T00:00:00Z"})

    body = {"values": {"client_secret": GOOD_SECRET}}
    with_it = call("PATCH", path, {**body, "secret_expires_at": "2028-01-31T00:00:00Z"}).json()
    without = call("PATCH", path, body).json()

    assert with_it["secret_expires_at"] == "2028-01-31T00:00:00Z"
    assert without["secret_expires_at"] is None


@pytest.mark.parametrize(
    ("bounds", "status"),
    [({"scopes": ["instances:read"]}, 403), ({"scopes": ["tokens:read"]}, 403), ("globex", 404), (None, 401)],
)
def test_others_are_kept_out(instance, path, server, globex, make_key, bounds, status):
    bounds = {"tenant": globex} if bounds == "globex" else bounds
    caller = Caller(None if bounds is None else make_key(**bounds))

    for body in (OVERLAP, {"secret_expires_at": "2027-01-31T00:00:00Z"}):
        assert caller("PATCH", path, body).status_code == status

    assert stored(instance) == SECRET
    assert not NextValues.objects.exists()
    assert InstanceValues.objects.get(pk=instance.pk).secret_expires_at is None
    assert server.requests == 0
    assert Token.objects.filter(pk=instance.pk).exists()
    assert ApiKey.objects.count() <= 1


def test_a_secret_and_its_last_day_are_stored_together(works, path, call):
    """Two who change both at once would else mix them up: one's secret, the other's day."""
    seen = []

    def look(**_):
        seen.append(InstanceValues.objects.get().secret_expires_at)

    settled.connect(look)
    try:
        call("PATCH", path, {"values": OVERLAP["values"], "secret_expires_at": "2027-01-31T00:00:00Z"})
    finally:
        settled.disconnect(look)

    assert seen == [datetime(2027, 1, 31, tzinfo=UTC)]
