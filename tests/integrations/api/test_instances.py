"""Looking at instances and changing them by HTTP."""

import pytest
from django.utils import timezone

from connectors.models import Variable
from integrations.models import IdempotentAnswer
from tenants.models import Event, Instance, InstanceValues, Token
from tests.integrations.api.conftest import TOKEN_PATH, Caller, fresh
from tests.tenants.wizard.rows import NOW, SECRET, make_instance
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET, ISSUED

pytestmark = pytest.mark.both_databases


@pytest.fixture
def path(instance):
    return f"instances/{instance.pk}"


def stored(instance):
    return InstanceValues.objects.get(pk=instance.pk).values


def status(instance):
    return Instance.objects.get(pk=instance.pk).status


def test_an_instance_shows_what_was_filled_in_but_no_secret_and_no_token(instance, path, call):
    response = call("GET", path)

    body = response.json()
    assert body["id"] == str(instance.pk)
    assert (body["tenant"], body["connector"], body["auth_method"]) == ("acme", "zoom", "server-to-server")
    assert (body["status"], body["error"]) == ("active", None)
    assert body["values"] == {"client_id": "the-client"}
    assert body["set_at"] == {"client_id": "2026-03-01T12:00:00Z", "client_secret": "2026-03-01T12:00:00Z"}
    assert SECRET not in response.text
    assert "token-of-acme" not in response.text


def test_a_value_whose_variable_is_gone_is_not_shown(instance, path, call):
    instance.filled_in.values["former"] = "perhaps-a-secret"
    instance.filled_in.save()

    assert "perhaps-a-secret" not in call("GET", path).text


def test_why_an_instance_needs_attention_is_said(instance, path, call):
    Instance.objects.update(status="action_required", status_code="credentials_refused", status_reason="No.")

    assert call("GET", path).json()["error"] == {"code": "credentials_refused", "detail": "No."}


def test_a_list_can_be_narrowed(instance, globex_instance, acme, chat, support, call):
    talk = make_instance(acme, chat, status="paused")

    def ids(query):
        return {item["id"] for item in call("GET", f"instances?{query}").json()["items"]}

    assert ids("tenant=acme") == {str(instance.pk), str(talk.pk)}
    assert ids("tenant=acme&connector=zoom") == {str(instance.pk)}
    assert ids("integration=support") == {str(talk.pk)}
    assert ids("status=paused") == {str(talk.pk)}
    assert ids("integration=no-such") == ids("tenant=nobody") == set()


def test_an_unknown_status_or_filter_is_refused(instance, call):
    assert call("GET", "instances?status=broken").json()["fields"].keys() == {"status"}
    assert call("GET", "instances?tennant=acme").json()["fields"].keys() == {"tennant"}


def test_a_list_costs_the_same_however_long(instance, acme, zoom, make_key, django_assert_num_queries):
    caller = Caller(make_key())
    caller("GET", "instances")
    for number in range(10):
        make_instance(acme, zoom, name=str(number))

    with django_assert_num_queries(2):
        assert len(caller("GET", "instances").json()["items"]) == 11


def test_a_list_is_readable_though_a_secret_is_not(instance, call):
    Token.objects.filter(pk=instance.pk).update(secrets=None)
    InstanceValues.objects.filter(pk=instance.pk).delete()

    assert len(call("GET", "instances").json()["items"]) == 1


def test_an_instance_of_which_nothing_is_known_yet_is_shown(instance, path, call):
    Token.objects.all().delete()
    InstanceValues.objects.all().delete()
    Instance.objects.update(status="pending")

    body = call("GET", path).json()

    assert (body["status"], body["expires_at"], body["values"]) == ("pending", None, {})
    assert len(call("GET", "instances").json()["items"]) == 1
    assert call("GET", TOKEN_PATH).json()["code"] == "not_connected"


def test_the_name_alone_can_be_changed(instance, path, server, call):
    body = call("PATCH", path, {"name": "  Sales "}).json()

    assert body["name"] == "Sales"
    assert server.requests == 0
    assert stored(instance)["client_secret"] == SECRET


def test_a_name_that_is_taken_is_refused(instance, acme, zoom, path, call):
    make_instance(acme, zoom, name="Sales")

    response = call("PATCH", path, {"name": "Sales"})

    assert (response.status_code, response.json()["code"]) == (409, "name_taken")


def test_values_that_are_not_named_stay(instance, path, call):
    body = call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}}).json()

    assert stored(instance) == {"client_id": "the-client", "client_secret": GOOD_SECRET}
    assert body["set_at"]["client_id"] == NOW.isoformat().replace("+00:00", "Z")
    assert body["set_at"]["client_secret"] > body["set_at"]["client_id"]
    assert call("GET", TOKEN_PATH).json()["access_token"] == ISSUED


def test_null_takes_a_value_away(instance, path, zoom, call):
    instance.filled_in.values = {"client_id": "the-client", "client_secret": GOOD_SECRET, "scope": "read"}
    instance.filled_in.save()

    call("PATCH", path, {"values": {"scope": None}})

    assert "scope" not in stored(instance)


def test_a_required_value_can_not_be_taken_away(instance, path, call):
    response = call("PATCH", path, {"values": {"client_id": None}})

    assert (response.status_code, response.json()["code"]) == (422, "validation_failed")
    assert response.json()["fields"].keys() == {"client_id"}
    assert stored(instance)["client_id"] == "the-client"


def test_new_values_are_tried_at_once_though_action_is_required(instance, path, server, call):
    Instance.objects.update(status="action_required", status_code="credentials_refused", status_reason="No.")

    body = call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}}).json()

    assert server.requests == 1
    assert (body["status"], body["error"]) == ("active", None)


def test_refused_values_change_nothing(instance, path, call):
    response = call("PATCH", path, {"name": "Sales", "paused": True, "values": {"client_secret": BAD_SECRET}})

    body = call("GET", path).json()
    assert (response.status_code, response.json()["code"]) == (422, "credentials_refused")
    assert BAD_SECRET not in response.text
    assert (body["name"], body["status"]) == ("", "active")
    assert stored(instance)["client_secret"] == SECRET
    assert call("GET", TOKEN_PATH).status_code == 200


def test_values_that_can_not_stand_are_refused_by_name(instance, path, server, zoom, call):
    Variable.objects.filter(auth_method=zoom, key="client_id").update(pattern="[a-z]+")
    type(zoom).objects.filter(pk=zoom.pk).touch()

    response = call("PATCH", path, {"values": {"client_id": "123", "cleint_secret": "x"}})

    assert response.json()["fields"].keys() == {"client_id", "cleint_secret"}
    assert server.requests == 0


def test_pausing_and_resuming(instance, path, call):
    assert call("PATCH", path, {"paused": True}).json()["status"] == "paused"
    assert call("GET", TOKEN_PATH).json()["code"] == "not_connected"
    assert call("PATCH", path, {"name": "Still paused"}).json()["status"] == "paused"
    assert call("PATCH", path, {"paused": False}).json()["status"] == "active"
    assert call("GET", TOKEN_PATH).status_code == 200


def test_the_history_says_what_paused_and_resumed_it(instance, path, call):
    call("PATCH", path, {"paused": True})
    call("PATCH", path, {"paused": False})

    events = call("GET", f"{path}/events").json()["items"]

    assert [(event["kind"], event["message"]) for event in events[:2]] == [
        ("resumed", "Through the API."),
        ("paused", "Through the API."),
    ]


def test_new_values_leave_a_paused_instance_paused(instance, path, call):
    call("PATCH", path, {"paused": True})

    body = call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}}).json()

    assert body["status"] == "paused"
    assert stored(instance)["client_secret"] == GOOD_SECRET
    assert body["next_renewal_at"] is None


def test_new_values_and_resuming_go_together(instance, path, call):
    call("PATCH", path, {"paused": True})

    body = call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}, "paused": False}).json()

    assert body["status"] == "active"
    assert call("GET", TOKEN_PATH).json()["access_token"] == ISSUED


@pytest.mark.parametrize(
    "body",
    [
        {"nmae": "x"},
        {"name": None},
        {"name": 5},
        {"name": "a\u0000b"},
        {"name": "x" * 201},
        {"values": {"a": 1}},
        [],
        5,
    ],
    ids=repr,
)
def test_a_change_that_is_not_as_declared_is_refused(instance, path, call, body):
    response = call("PATCH", path, body)

    assert (response.status_code, response.json()["code"]) == (422, "validation_failed")
    assert response.json()["fields"]


def test_a_change_of_nothing_changes_nothing(instance, path, server, call):
    assert call("PATCH", path, {}).status_code == 200
    assert call("PATCH", path, {"values": {}, "name": ""}).status_code == 200
    assert server.requests == 0
    assert Event.objects.count() == 1


def test_removing_is_for_good(instance, path, call):
    first, second = call("DELETE", path), call("DELETE", path)

    assert (first.status_code, first.content) == (204, b"")
    assert (second.status_code, second.json()["code"]) == (404, "instance_not_found")
    assert not Instance.objects.exists()


def test_refresh_renews_now(instance, path, server, call):
    call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}})

    body = call("POST", f"{path}/refresh").json()

    assert server.requests == 2
    assert body["status"] == "active"
    assert body["renewed_at"] <= timezone.now().isoformat()


def test_refresh_of_a_paused_instance_is_refused(instance, path, server, call):
    call("PATCH", path, {"paused": True})

    response = call("POST", f"{path}/refresh")

    assert (response.status_code, response.json()["code"]) == (409, "not_connected")
    assert server.requests == 0


def test_a_repeated_refresh_with_the_same_key_mints_once(instance, path, server, call):
    call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}})

    first = call("POST", f"{path}/refresh", Idempotency_Key="abc")
    again = call("POST", f"{path}/refresh", Idempotency_Key="abc")

    assert server.requests == 2
    assert first.json() == again.json()


def test_a_failed_request_may_be_repeated_with_its_key(instance, path, server, call):
    first = call("POST", f"{path}/refresh", Idempotency_Key="abc")
    call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}})
    again = call("POST", f"{path}/refresh", Idempotency_Key="abc")

    assert (first.status_code, again.status_code) == (422, 200)


def test_a_key_of_another_request_is_refused(instance, globex_instance, path, call):
    call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}})
    call("POST", f"{path}/refresh", Idempotency_Key="abc")

    response = call("POST", f"instances/{globex_instance.pk}/refresh", Idempotency_Key="abc")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


def test_two_api_keys_do_not_share_idempotency_keys(instance, path, server, call, make_key):
    call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}})
    call("POST", f"{path}/refresh", Idempotency_Key="abc")

    Caller(make_key())("POST", f"{path}/refresh", Idempotency_Key="abc")

    assert server.requests == 3


def test_a_request_that_is_still_worked_on_is_not_begun_again(instance, path, server, call):
    call("PATCH", path, {"values": {"client_secret": GOOD_SECRET}})
    call("POST", f"{path}/refresh", Idempotency_Key="abc")
    IdempotentAnswer.objects.update(body=None)

    response = call("POST", f"{path}/refresh", Idempotency_Key="abc")

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_in_use")
    assert response.headers["Retry-After"] == "1"


def test_the_history_is_newest_first(instance, path, call):
    call("PATCH", path, {"paused": True})

    items = call("GET", f"{path}/events").json()["items"]

    assert [item["kind"] for item in items] == ["paused", "connected"]
    assert (items[0]["status_before"], items[0]["status_after"]) == ("active", "paused")


def test_a_new_life_is_seen(instance, path, call):
    fresh(instance, minutes=5)

    assert call("GET", path).json()["expires_at"] > timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
