"""Reading tokens by HTTP."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from connectors.models import Variable
from tenants.models import Instance, Token
from tests.integrations.api.conftest import TOKEN_PATH, Caller, fresh
from tests.tenants.wizard.rows import SECRET, TOKEN, make_instance
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET, ISSUED


def with_secret(instance, secret):
    instance.filled_in.values = {"client_id": "the-client", "client_secret": secret}
    instance.filled_in.save()


def failing(instance, code, **fields):
    """Its token is dead, and why is known."""
    fresh(instance, seconds=-10)
    Instance.objects.filter(pk=instance.pk).update(status_code=code, status_reason="It broke.", **fields)
    Token.objects.filter(pk=instance.pk).update(failures=1, refresh_at=timezone.now() + timedelta(seconds=90))


def test_a_token_is_read_by_tenant_integration_and_component(instance, call):
    response = call("GET", TOKEN_PATH)

    body = response.json()
    assert response.status_code == 200
    assert body["access_token"] == TOKEN
    assert body["token_type"] == "Bearer"
    assert body["headers"] == {"Authorization": f"Bearer {TOKEN}"}
    assert body["query"] == {}
    assert body["base_url"] == "https://api.zoom.example/v2"
    assert body["instance"] == str(instance.pk)
    assert 3500 < body["expires_in"] <= 3600


def test_both_ways_to_read_answer_alike(instance, call):
    by_component, by_id = call("GET", TOKEN_PATH).json(), call("GET", f"instances/{instance.pk}/token").json()

    by_component.pop("expires_in"), by_id.pop("expires_in")
    assert by_component == by_id


def test_times_are_rfc_3339_in_utc(instance, call):
    expires_at = call("GET", TOKEN_PATH).json()["expires_at"]

    assert expires_at.endswith("Z")
    assert datetime.fromisoformat(expires_at).utcoffset() == timedelta()


def test_a_token_kept_until_refused_has_no_expiry(instance, call):
    Token.objects.filter(pk=instance.pk).update(expires_at=None)

    body = call("GET", TOKEN_PATH).json()

    assert (body["expires_at"], body["expires_in"]) == (None, None)


def test_a_read_costs_two_queries(instance, call, django_assert_num_queries):
    call("GET", TOKEN_PATH)  # notes the key's use, and reads the definition into memory

    with django_assert_num_queries(2):
        call("GET", TOKEN_PATH)
    with django_assert_num_queries(2):
        call("GET", f"instances/{instance.pk}/token")


def test_a_token_that_lives_too_short_is_renewed_first(instance, call, server):
    with_secret(instance, GOOD_SECRET)
    fresh(instance, seconds=100)

    enough = call("GET", f"{TOKEN_PATH}?min_ttl=60").json()
    too_short = call("GET", f"{TOKEN_PATH}?min_ttl=150").json()

    assert enough["access_token"] == TOKEN
    assert too_short["access_token"] == ISSUED
    assert server.requests == 1


def test_no_secret_is_shown_even_where_requests_are_signed_with_it(instance, zoom, call):
    Variable.objects.create(auth_method=zoom, key="api_key", secret=True)
    Variable.objects.create(auth_method=zoom, key="region", default="{{api_key}}", required=False)
    with_secret(instance, SECRET)
    instance.filled_in.values["api_key"] = "another-s3cret"
    instance.filled_in.save()
    zoom.api_request = {
        "headers": {"Authorization": "Bearer {{access_token}}", "X-Key": "{{api_key}}", "X-Client": "{{client_id}}"},
        "query": {"key": "{{region}}", "client": ["{{client_id}}", "b"]},
    }
    zoom.save()
    type(zoom).objects.filter(pk=zoom.pk).touch()

    response = call("GET", TOKEN_PATH)

    assert response.status_code == 200
    assert "another-s3cret" not in response.text
    assert response.json()["headers"] == {"Authorization": f"Bearer {TOKEN}", "X-Client": "the-client"}
    assert response.json()["query"] == {"client": ["the-client", "b"]}


def test_several_instances_are_told_apart_by_name(instance, acme, zoom, call):
    fresh(make_instance(acme, zoom, name="Sales"))

    response = call("GET", TOKEN_PATH)

    assert (response.status_code, response.json()["code"]) == (409, "several_instances")
    assert sorted(response.json()["names"]) == ["", "Sales"]


@pytest.mark.parametrize("status", ["pending", "paused"])
def test_an_instance_that_is_not_connected_says_so(instance, call, status):
    Instance.objects.filter(pk=instance.pk).update(status=status)

    response = call("GET", TOKEN_PATH)

    assert (response.status_code, response.json()["code"]) == (409, "not_connected")


def test_refused_credentials_say_so(instance, call):
    fresh(instance, seconds=-10)
    with_secret(instance, BAD_SECRET)

    response = call("GET", TOKEN_PATH)

    assert (response.status_code, response.json()["code"]) == (422, "credentials_refused")
    assert BAD_SECRET not in response.text


@pytest.mark.parametrize(
    ("code", "status"), [("provider_unavailable", 503), ("mint_budget_spent", 429)], ids=["provider", "budget"]
)
def test_trouble_that_passes_says_how_long_to_wait(instance, call, code, status):
    failing(instance, code, status="failing")

    response = call("GET", TOKEN_PATH)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert 80 <= int(response.headers["Retry-After"]) <= 90


@pytest.mark.parametrize("code", ["response_not_understood", "address_refused", "validation_failed"])
def test_trouble_that_stays_keeps_its_code(instance, call, code):
    failing(instance, code, status="action_required")

    response = call("GET", TOKEN_PATH)

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert "Retry-After" not in response.headers


def test_an_unreachable_provider_is_unavailable_and_says_when_to_come_back(instance, zoom, call):
    zoom.token_request = {"url": "http://127.0.0.1:9/token"}
    zoom.save()
    type(zoom).objects.filter(pk=zoom.pk).touch()
    fresh(instance, seconds=-10)

    response = call("GET", TOKEN_PATH)

    assert (response.status_code, response.json()["code"]) == (503, "provider_unavailable")
    assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("text", ["-1", "soon", "nan", "inf", "1e30"])
def test_a_min_ttl_that_makes_no_sense_is_refused(instance, call, text):
    response = call("GET", f"{TOKEN_PATH}?min_ttl={text}")

    assert (response.status_code, response.json()["code"]) == (422, "validation_failed")
    assert "min_ttl" in response.json()["fields"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (TOKEN_PATH + "?min_ttl=1&min_ttl=2", "min_ttl"),
        ("instances?status=active&status=paused", "status"),
        ("connectors?limit=1&limit=1", "limit"),
    ],
)
def test_a_parameter_that_is_there_twice_is_refused(instance, call, path, name):
    response = call("GET", path)

    assert (response.status_code, list(response.json()["fields"])) == (422, [name])


def test_a_misspelt_parameter_is_refused(instance, call):
    response = call("GET", f"{TOKEN_PATH}?minttl=60")

    assert response.status_code == 422
    assert "min_ttl" in response.json()["fields"]["minttl"]


@pytest.mark.parametrize("what", ["acme/integrations/crm-sync/components/metings", "nobody/integrations/crm-sync/"])
def test_what_does_not_exist_is_not_found(instance, call, what):
    path = f"tenants/{what}/token" if "metings" in what else f"tenants/{what}components/meetings/token"

    response = call("GET", path)

    assert (response.status_code, response.json()["code"]) == (404, "instance_not_found")


def test_a_rejected_token_is_not_read_again(instance, call, server):
    with_secret(instance, GOOD_SECRET)

    first = call("POST", f"instances/{instance.pk}/rejected", {"access_token": TOKEN})
    again = call("POST", f"instances/{instance.pk}/rejected", {"access_token": TOKEN})

    assert (first.json(), again.json()) == ({"accepted": True}, {"accepted": False})
    assert call("GET", TOKEN_PATH).json()["access_token"] == ISSUED


def test_another_token_than_the_stored_one_is_not_rejected(instance, call):
    response = call("POST", f"instances/{instance.pk}/rejected", {"access_token": "an older one"})

    assert response.json() == {"accepted": False}
    assert call("GET", TOKEN_PATH).json()["access_token"] == TOKEN


def test_reading_notes_when_the_key_was_used_but_not_every_time(instance, make_key, django_assert_num_queries):
    caller = Caller(make_key())
    caller("GET", TOKEN_PATH)

    with django_assert_num_queries(2) as queries:
        caller("GET", TOKEN_PATH)

    assert not any(query["sql"].startswith("UPDATE") for query in queries)


def test_what_a_login_kept_signs_what_is_read(instance, zoom, call):
    zoom.steps = [{"key": "login", "url": "https://zoom.example/login", "keep": {"session": "s"}}]
    zoom.api_request = {"headers": {"Cookie": "S={{login.session}}", "X-Token": "{{access_token}}"}}
    zoom.save()
    token = Token.objects.get(pk=instance.pk)
    token.secrets = {**token.secrets, "steps": {"login.session": "the-session"}}
    token.save(update_fields=["secrets"])

    for path in (TOKEN_PATH, f"instances/{instance.pk}/token"):
        assert call("GET", path).json()["headers"] == {"Cookie": "S=the-session", "X-Token": TOKEN}
