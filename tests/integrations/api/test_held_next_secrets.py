"""A next secret that is held: looked at, taken away, or put in the present one's place, by HTTP."""

import pytest

from tenants.models import Event, InstanceValues, NextValues
from tests.integrations.api.conftest import Caller
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET

pytestmark = pytest.mark.both_databases

WAITING = {
    "values": {"client_secret": BAD_SECRET, "scope": "read"},
    "overlap": True,
    "secret_expires_at": "2027-01-31T00:00:00Z",
}


@pytest.fixture
def works(instance):
    """The instance's present secret is known to the provider."""
    instance.filled_in.values = {"client_id": "the-client", "client_secret": GOOD_SECRET}
    instance.filled_in.save()
    return instance


@pytest.fixture
def path(works, server, call):
    """Of a next secret that the provider doesn't know."""
    assert call("PATCH", f"instances/{works.pk}", WAITING).json()["next_secret"]
    return f"instances/{works.pk}/next_secret"


def stored(instance):
    return InstanceValues.objects.get(pk=instance.pk)


def messages(instance):
    return list(Event.objects.filter(instance=instance).order_by("pk").values_list("message", flat=True))


def test_what_is_held_is_shown_without_what_is_secret(works, path, call):
    response = call("GET", path)

    body = response.json()
    assert response.status_code == 200
    assert body["values"] == {"scope": "read"}
    assert set(body["set_at"]) == {"client_secret", "scope"}
    assert body["refused_at"] is not None
    assert "Unknown client" in body["detail"]
    assert body["secret_expires_at"] == "2027-01-31T00:00:00Z"
    assert BAD_SECRET not in response.text
    assert {**body, "values": None, "set_at": None} == {
        **call("GET", f"instances/{works.pk}").json()["next_secret"],
        "values": None,
        "set_at": None,
    }


def test_one_that_is_taken_away_is_gone_and_the_present_one_stays(works, path, server, call):
    before = server.requests

    response = call("DELETE", path)

    assert (response.status_code, response.content) == (204, b"")
    assert not NextValues.objects.exists()
    assert stored(works).values["client_secret"] == GOOD_SECRET
    assert "taken away" in messages(works)[-1]
    assert server.requests == before


def test_one_that_takes_over_is_the_present_one_untried(works, path, server, call):
    before = server.requests

    response = call("POST", f"{path}/take_over")

    body = response.json()
    assert response.status_code == 200
    assert body["next_secret"] is None
    assert body["secret_expires_at"] == "2027-01-31T00:00:00Z"
    assert body["status"] == "active"
    assert body["values"]["scope"] == "read"
    assert stored(works).values["client_secret"] == BAD_SECRET
    assert "retired" in messages(works)[-1]
    assert server.requests == before
    assert BAD_SECRET not in response.text


def test_after_that_the_former_one_is_not_used_again(works, path, call):
    call("POST", f"{path}/take_over")

    assert call("POST", f"instances/{works.pk}/refresh").json()["code"] == "credentials_refused"


def test_a_repeated_request_is_answered_as_the_first_time(works, path, call):
    first = call("POST", f"{path}/take_over", None, Idempotency_Key="once")

    again = call("POST", f"{path}/take_over", None, Idempotency_Key="once")
    another = call("POST", f"{path}/take_over", None, Idempotency_Key="twice")

    assert again.json() == first.json()
    assert (another.status_code, another.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("DELETE", ""), ("POST", "/take_over")])
def test_where_none_is_held_the_answer_says_so(works, method, more, call):
    response = call(method, f"instances/{works.pk}/next_secret{more}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "No next secret is held" in response.json()["detail"]
    assert messages(works) == [""]  # that it was connected


@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("DELETE", ""), ("POST", "/take_over")])
def test_who_may_not_changes_nothing(works, path, globex, support, make_key, method, more):
    wrong = "tokens:read" if method == "GET" else "instances:read"
    answers = [
        Caller(key)(method, f"{path}{more}").status_code
        for key in (None, make_key(scopes=[wrong]), make_key(tenant=globex), make_key(integration=support))
    ]

    assert answers == [401, 403, 404, 404]
    assert NextValues.objects.count() == 1
    assert stored(works).values["client_secret"] == GOOD_SECRET


def test_nothing_is_sent_along(path, call):
    assert call("GET", f"{path}?secret=1").status_code == 422
    assert call("POST", f"{path}/take_over?now=1").status_code == 422
    assert call("PUT", path).status_code == 405
    assert NextValues.objects.count() == 1
