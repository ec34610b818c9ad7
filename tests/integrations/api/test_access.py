"""Every call with every kind of key."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import keys, sessions
from integrations.models import ApiKey
from tenants.models import NextValues, Tenant
from tests.integrations.api.conftest import TOKEN_PATH, Caller
from tests.tenants.wizard.rows import TOKEN

READ_TOKENS, READ, WRITE, SET_UP = "tokens:read", "instances:read", "instances:write", "sessions:write"
ONE = "instances/{id}"
NOT_THERE = "instances/5cb3a5de-0000-4000-8000-000000000000"

# method, path, body, the scope that it asks for, the answer to the right key
CALLS = [
    ("GET", TOKEN_PATH, None, READ_TOKENS, 200),
    ("GET", f"{ONE}/token", None, READ_TOKENS, 200),
    ("POST", f"{ONE}/rejected", {"access_token": TOKEN}, READ_TOKENS, 200),
    ("GET", ONE, None, READ, 200),
    ("GET", f"{ONE}/events", None, READ, 200),
    ("GET", f"{ONE}/next_secret", None, READ, 200),
    ("DELETE", f"{ONE}/next_secret", None, WRITE, 204),
    ("POST", f"{ONE}/next_secret/take_over", None, WRITE, 200),
    ("PATCH", ONE, {"name": "Sales"}, WRITE, 200),
    ("POST", f"{ONE}/refresh", None, WRITE, 422),  # its secret is not the right one
    ("DELETE", ONE, None, WRITE, 204),
    ("GET", "sessions/{session}", None, SET_UP, 200),
    ("POST", "sessions/{session}/commit", None, SET_UP, 422),  # nothing is filled in
    ("POST", "integrations/crm-sync/sessions", {"tenant": "acme"}, SET_UP, 201),
    ("GET", "connectors/zoom", None, READ, 200),
    ("GET", "instances", None, READ, 200),
    ("GET", "connectors", None, READ, 200),
]
IDS = [f"{method} {path}" for method, path, *_ in CALLS]
EVERY_CALL = pytest.mark.parametrize(("method", "path", "body", "scope", "status"), CALLS, ids=IDS)
# Lists are empty instead, and connectors are not a tenant's.
OF_A_TENANT = pytest.mark.parametrize(("method", "path", "body", "scope", "status"), CALLS[:14], ids=IDS[:14])
OF_AN_INTEGRATION = pytest.mark.parametrize(("method", "path", "body", "scope", "status"), CALLS[:15], ids=IDS[:15])


@pytest.fixture
def instance(instance):
    """It holds a next secret."""
    following = {"client_secret": "next-value"}
    NextValues.objects.create(instance=instance, values=following, set_at={}, added_at=timezone.now())
    return instance


@pytest.fixture
def session(crm, acme):
    return sessions.create(crm, tenant="acme")[0]


def ended(**fields):
    def make():
        key, text = keys.issue("ended")
        ApiKey.objects.filter(pk=key.pk).update(**{name: timezone.now() - timedelta(days=1) for name in fields})
        return text

    return make


@EVERY_CALL
def test_a_call_without_a_key_is_unauthorized(instance, session, method, path, body, scope, status):
    response = Caller(None)(method, path.format(id=instance.pk, session=session.pk), body)

    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@EVERY_CALL
@pytest.mark.parametrize(
    "make",
    [
        lambda: "nonsense",
        lambda: "lk_" + "a" * 43,
        lambda: "",
        ended(revoked_at=True),
        ended(expires_at=True),
    ],
    ids=["malformed", "unknown", "empty", "revoked", "expired"],
)
def test_a_key_that_may_not_be_used_is_unauthorized(instance, session, make, method, path, body, scope, status):
    response = Caller(make())(method, path.format(id=instance.pk, session=session.pk), body)

    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")


@EVERY_CALL
def test_a_key_without_the_scope_is_forbidden(instance, session, make_key, method, path, body, scope, status):
    others = set(ApiKey.Scope.values) - {scope}

    response = Caller(make_key(scopes=others))(method, path.format(id=instance.pk, session=session.pk), body)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert scope in response.json()["detail"]
    assert f'scope="{scope}"' in response.headers["WWW-Authenticate"]


@OF_A_TENANT
def test_another_tenants_key_finds_nothing(instance, session, globex, make_key, method, path, body, scope, status):
    response = Caller(make_key(tenant=globex))(method, path.format(id=instance.pk, session=session.pk), body)

    assert response.status_code == 404
    assert response.json()["code"] in ("instance_not_found", "not_found")


@OF_AN_INTEGRATION
def test_another_integrations_key_finds_nothing(
    instance, session, support, make_key, method, path, body, scope, status
):
    response = Caller(make_key(integration=support))(method, path.format(id=instance.pk, session=session.pk), body)

    assert response.status_code == 404
    assert response.json()["code"] in ("instance_not_found", "not_found")


@EVERY_CALL
def test_the_right_key_is_answered(instance, session, acme, crm, make_key, method, path, body, scope, status):
    key = make_key(tenant=acme, integration=crm, scopes=[scope])

    response = Caller(key)(method, path.format(id=instance.pk, session=session.pk), body)

    assert response.status_code == status
    assert response.headers["Cache-Control"] == "no-store"


@OF_A_TENANT
def test_what_is_out_of_reach_answers_as_what_does_not_exist(
    instance, session, globex, make_key, method, path, body, scope, status
):
    caller = Caller(make_key(tenant=globex))

    out_of_reach = caller(method, path.format(id=instance.pk, session=session.pk), body)
    session.delete()
    instance.delete()
    Tenant.objects.filter(key="acme").delete()
    not_there = caller(method, path.format(id=instance.pk, session=session.pk), body)

    assert out_of_reach.content == not_there.content


def test_a_foreign_integration_answers_as_one_that_does_not_exist(instance, support, make_key):
    caller = Caller(make_key(integration=support))

    foreign = caller("GET", "tenants/acme/integrations/crm-sync/components/meetings/token")
    not_there = caller("GET", "tenants/acme/integrations/no-such/components/meetings/token")

    assert foreign.json()["detail"] == not_there.json()["detail"].replace("no-such", "crm-sync")
    assert foreign.status_code == not_there.status_code == 404


def test_an_instance_read_by_both_is_not_reached_by_the_foreign_integrations_name(instance, support, zoom, make_key):
    support.components.create(name="calls", connector=zoom.connector)
    caller = Caller(make_key(integration=support))

    own = caller("GET", "tenants/acme/integrations/support/components/calls/token")
    foreign = caller("GET", TOKEN_PATH)

    assert (own.status_code, foreign.status_code) == (200, 404)


def test_lists_show_what_the_key_reaches(instance, globex_instance, globex, support, crm, chat, make_key):
    def ids(**bounds):
        return [item["id"] for item in Caller(make_key(**bounds))("GET", "instances").json()["items"]]

    assert sorted(ids()) == sorted([str(instance.pk), str(globex_instance.pk)])
    assert ids(tenant=globex) == [str(globex_instance.pk)]
    assert ids(integration=support) == []
    assert len(ids(integration=crm)) == 2
    assert ids(integration=crm, tenant=globex) == [str(globex_instance.pk)]


def test_an_integrations_key_sees_its_connectors_and_methods_alone(crm, support, zoom, make_key):
    zoom.connector.auth_methods.create(key="other", name="Other", token_request={"url": "https://other.example/"})

    (shown,) = Caller(make_key(integration=crm))("GET", "connectors").json()["items"]

    assert shown["key"] == "zoom"
    assert [method["key"] for method in shown["auth_methods"]] == ["server-to-server"]
