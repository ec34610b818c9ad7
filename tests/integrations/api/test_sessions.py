"""Set-up sessions through the HTTP API."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from integrations.models import Binding, Component, Session, SessionPart
from tenants.models import Instance, Tenant
from tests.tenants.wizard.rows import add_variable, make_instance, make_method
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET, ISSUED

pytestmark = pytest.mark.both_databases

SESSIONS = "integrations/crm-sync/sessions"
GOOD = {"client_id": "the-client", "client_secret": GOOD_SECRET}
BAD = {"client_id": "the-client", "client_secret": BAD_SECRET}


def create(call, status=201, **body):
    response = call("POST", SESSIONS, {"tenant": "acme", **body})
    assert response.status_code == status, response.json()
    return response.json()


def commit(call, session, status=200):
    response = call("POST", f"sessions/{session['id']}/commit")
    assert response.status_code == status, response.json()
    return response.json()


def look(call, session):
    return call("GET", f"sessions/{session['id']}").json()


@pytest.fixture
def two(crm, chat):
    """The integration has a second component."""
    return Component.objects.create(integration=crm, name="talk", connector=chat.connector, position=1)


def test_a_session_is_created_committed_and_read(crm, server, call):
    session = create(call, tenant_name="Acme Ltd", input={"meetings": GOOD})
    assert session["status"] == "open"
    assert session["target_url"].startswith("http://127.0.0.1:8000/setup/")

    done = commit(call, session)

    instance = Instance.objects.get()
    assert done == {
        "id": session["id"],
        "status": "complete",
        "components": {"meetings": {"status": "complete", "instance": str(instance.pk)}},
    }
    assert look(call, session) == done
    assert instance.tenant == Tenant.objects.get(key="acme", name="Acme Ltd")
    token = call("GET", "tenants/acme/integrations/crm-sync/components/meetings/token").json()
    assert token["access_token"] == ISSUED


def test_what_was_given_is_encrypted_until_it_is_used_and_then_gone(crm, server, call):
    session = create(call, input={"meetings": GOOD})
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM integrations_sessionpart")
        assert GOOD_SECRET not in str([bytes(one) if isinstance(one, memoryview) else one for one in cursor.fetchone()])

    commit(call, session)

    assert SessionPart.objects.get().values == {}


def test_a_complete_session_is_not_connected_twice(crm, server, call):
    session = create(call, input={"meetings": GOOD})
    first = commit(call, session)

    assert commit(call, session) == first
    assert server.requests == Instance.objects.count() == 1


def test_a_refused_secret_leaves_nothing_and_says_why(crm, server, call):
    session = create(call, input={"meetings": BAD})

    problem = commit(call, session, 422)

    assert problem["code"] == "credentials_refused"
    assert problem["components"]["meetings"]["error"]["code"] == "credentials_refused"
    assert "invalid_client" in problem["components"]["meetings"]["error"]["detail"]
    assert BAD_SECRET not in str(problem)
    shown = look(call, session)
    assert (shown["status"], shown["components"]) == ("failed", problem["components"])
    assert not Instance.objects.exists()


def test_missing_input_is_named_and_nobody_is_asked(two, server, call):
    session = create(call, input={"meetings": GOOD, "talk": {"client_id": "the-client"}})

    problem = commit(call, session, 422)

    assert problem["code"] == "validation_failed"
    assert problem["components"]["meetings"] == {"status": "open"}
    assert "client_secret" in problem["components"]["talk"]["error"]["detail"]
    assert server.requests == 0


def test_one_refusal_among_several_keeps_all_from_being_connected(crm, server, call):
    Component.objects.create(integration=crm, name="more", connector=crm.components.get().connector, position=1)
    session = create(call, input={"meetings": GOOD, "more": BAD})

    problem = commit(call, session, 422)

    assert {name: part["status"] for name, part in problem["components"].items()} == {
        "meetings": "open",
        "more": "failed",
    }
    assert not Instance.objects.exists()
    assert not Binding.objects.exists()


def test_two_components_of_one_connector_get_an_instance_each_and_read_their_own(crm, server, call):
    Component.objects.create(integration=crm, name="more", connector=crm.components.get().connector, position=1)
    session = create(call, input={"meetings": GOOD, "more": GOOD})

    done = commit(call, session)["components"]

    assert sorted(Instance.objects.values_list("name", flat=True)) == ["", "more"]
    for name in ("meetings", "more"):
        token = call("GET", f"tenants/acme/integrations/crm-sync/components/{name}/token").json()
        assert token["instance"] == done[name]["instance"]


def test_a_component_reads_what_its_session_connected_though_others_fit(crm, acme, zoom, server, call):
    for name in ("one", "two"):
        make_instance(acme, zoom, name=name)
    assert call("GET", "tenants/acme/integrations/crm-sync/components/meetings/token").status_code == 409
    connected = commit(call, create(call, input={"meetings": GOOD}))["components"]["meetings"]["instance"]

    assert crm.credentials("acme", "meetings").instance_id == Instance.objects.get(pk=connected).pk


def test_an_instance_bound_for_one_tenant_changes_nothing_for_another(crm, globex_instance, server, call):
    commit(call, create(call, input={"meetings": GOOD}))

    assert crm.instance("globex", "meetings") == globex_instance


def test_a_bound_instance_that_is_removed_makes_room_for_another(crm, acme, zoom, server, call):
    connected = commit(call, create(call, input={"meetings": GOOD}))["components"]["meetings"]["instance"]
    other = make_instance(acme, zoom, name="other")

    Instance.objects.get(pk=connected).delete()

    assert crm.instance("acme", "meetings") == other


@pytest.mark.parametrize("form", ["list", "mapping"])
def test_reconnecting_keeps_the_id_and_what_is_not_named(crm, instance, server, call, form):
    wanted = [str(instance.pk)] if form == "list" else {"meetings": str(instance.pk)}
    session = create(call, instances=wanted, input={"meetings": {"client_secret": GOOD_SECRET}})

    done = commit(call, session)

    assert done["components"]["meetings"]["instance"] == str(instance.pk)
    instance.refresh_from_db()
    assert instance.filled_in.values == GOOD
    assert instance.token.bought.access_token == ISSUED


def test_a_refused_reconnect_changes_nothing(crm, instance, server, call):
    before = dict(instance.filled_in.values)
    session = create(call, instances=[str(instance.pk)], input={"meetings": BAD})

    commit(call, session, 422)

    instance = Instance.objects.get(pk=instance.pk)
    assert (instance.status, instance.filled_in.values) == ("active", before)
    assert instance.token.lease_owner is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": {"calls": GOOD}}, "input.calls"),
        ({"input": {"meetings": {"client_idd": "x"}}}, "input.meetings.client_idd"),
        ({"input": {"meetings": {"client_id": 5}}}, "input.meetings.client_id"),
        ({"input": {"meetings": {"client_id": "a\nb"}}}, "input.meetings.client_id"),
        ({"input": {"meetings": {"region": "mars"}}}, "input.meetings.region"),
        ({"input": {"meetings": {"$auth_method": "magic"}}}, "input.meetings.$auth_method"),
        ({"components": ["meetings", "calls"]}, "components.1"),
        ({"instances": ["5cb3a5de-0000-4000-8000-000000000000"]}, "instances.0"),
        ({"instances": {"calls": "5cb3a5de-0000-4000-8000-000000000000"}}, "instances.calls"),
        ({"redirect_url": "https://app.example.com.evil.example/"}, "redirect_url"),
        ({"expires_in": 59}, "expires_in"),
        ({"expires_in": 7 * 86400 + 1}, "expires_in"),
        ({"tenant": "no slash/"}, "tenant"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(crm, zoom, call, body, field):
    add_variable(zoom, "region", label="Region", choices=[{"value": "eu", "label": "EU"}], required=False)

    problem = create(call, 422, **body)

    assert problem["code"] == "validation_failed"
    assert field in problem["fields"]
    assert not Session.objects.exists()
    assert not Tenant.objects.exists()


@pytest.mark.parametrize("key", ["user@example.com", "a:b", "-a", "a b"])
def test_a_tenants_key_that_can_t_be_one_is_refused_with_what_can(crm, call, key):
    refused = create(call, 422, tenant=key)

    assert refused["fields"]["tenant"].startswith("Write letters, digits and . _ ~ - only")


def test_a_backend_sets_hidden_and_read_only_variables_too(crm, zoom, server, call):
    add_variable(zoom, "region", label="Region", display="hidden", default="eu")
    add_variable(zoom, "plan", label="Plan", display="read_only", default="free")
    session = create(call, input={"meetings": {**GOOD, "region": "us", "plan": "pro"}})

    commit(call, session)

    assert Instance.objects.get().filled_in.values == {**GOOD, "region": "us", "plan": "pro"}


def test_of_several_methods_the_input_chooses(crm, server, call):
    component = crm.components.get()
    component.auth_method = None
    component.save()
    other = make_method(component.connector, key="other", token_request={"url": server.url})
    session = create(call, input={"meetings": {"client_id": "the-client"}})
    problem = commit(call, session, 422)
    assert "$auth_method" in problem["components"]["meetings"]["error"]["detail"]

    commit(call, create(call, input={"meetings": {**GOOD, "$auth_method": "other", "$name": "Sales"}}))

    assert [(one.auth_method, one.name) for one in Instance.objects.all()] == [(other, "Sales")]


def test_of_several_methods_the_first_that_the_input_answers_is_taken(crm, zoom, server, call):
    component = crm.components.get()
    component.auth_method = None
    component.save()
    add_variable(zoom, "account", label="Account")
    other = make_method(component.connector, key="other", token_request={"url": server.url}, position=1)
    make_method(component.connector, key="third", token_request={"url": server.url}, position=2)

    commit(call, create(call, input={"meetings": GOOD}))

    assert Instance.objects.get().auth_method == other


def test_a_subset_of_components_can_be_set_up(two, server, call):
    session = create(call, components=["meetings"], input={"meetings": GOOD})

    assert list(commit(call, session)["components"]) == ["meetings"]


def test_no_component_at_all_is_refused_when_the_session_is_made(two, call):
    body = create(call, 422, components=[])

    assert (body["code"], list(body["fields"])) == ("validation_failed", ["components"])


def test_a_session_expires(crm, server, call):
    session = create(call, input={"meetings": GOOD}, expires_in=60)
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert look(call, session)["status"] == "expired"
    assert commit(call, session, 410)["code"] == "session_expired"
    assert server.requests == 0


def test_a_session_of_components_that_are_gone_is_over_and_stays_so(crm, call):
    session = create(call, input={"meetings": GOOD})
    crm.components.all().delete()

    assert [commit(call, session, 410)["code"] for _ in range(2)] == ["session_expired"] * 2
    assert look(call, session)["status"] == "expired"


def test_a_session_that_is_being_connected_is_not_connected_again(crm, server, call):
    session = create(call, input={"meetings": GOOD})
    Session.objects.update(started_at=timezone.now())

    response = call("POST", f"sessions/{session['id']}/commit")

    assert (response.status_code, response.json()["code"]) == (409, "session_in_use")
    assert int(response.headers["Retry-After"]) >= 1


def test_a_repeated_request_makes_one_session(crm, call):
    sent = {"tenant": "acme", "input": {"meetings": GOOD}}

    first = call("POST", SESSIONS, sent, Idempotency_Key="one")
    again = call("POST", SESSIONS, sent, Idempotency_Key="one")
    other = call("POST", SESSIONS, {"tenant": "globex"}, Idempotency_Key="one")

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert other.json()["code"] == "idempotency_key_reused"
    assert Session.objects.count() == 1


def test_instances_that_fit_several_components_must_be_told_apart(crm, instance, call):
    Component.objects.create(integration=crm, name="more", connector=crm.components.get().connector, position=1)

    problem = create(call, 422, instances=[str(instance.pk)])

    assert "meetings, more" in problem["fields"]["instances.0"]
    assert create(call, instances={"more": str(instance.pk)})
