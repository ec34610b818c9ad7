"""What happens to instances and sessions becomes deliveries: each once, whatever dies, to whom it concerns alone."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable
from integrations import relay, sessions
from integrations.models import Integration, Session, WebhookDelivery
from tenants import connecting, schedule, secret_expiry
from tenants.models import Instance, Notice, Tenant
from tenants.models.notice import type_of
from tests.integrations.webhooks.conftest import VALUES, Endpoint
from tests.tenants.provider import make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

REFUSED = CredentialsRefused("The provider refused the request.")
URL = "https://app.example.com/hooks"


@pytest.fixture
def endpoint(db, clock):
    return Endpoint(URL, clock)


def told(clock):
    """What was put down to be told, the oldest first."""
    relay.pass_on(clock=clock)
    bodies = [json.loads(body) for body in WebhookDelivery.objects.values_list("body", flat=True)]
    return sorted(bodies, key=lambda body: body["timestamp"])


def undone(action):
    """Do it, and end before it is committed, as a process that is killed does."""
    with transaction.atomic():
        action()
        transaction.set_rollback(True)


def types(clock):
    return [body["type"] for body in told(clock)]


def renew(provider, clock):
    clock.advance(hours=2)
    schedule.renew_chunk(send=provider, clock=clock)


def test_connecting_is_told(endpoint, tenant, method, crm, provider, clock):
    instance = connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)

    [body] = told(clock)
    assert body == {
        "type": "instance.connected",
        "timestamp": clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {
            "instance": str(instance.pk),
            "tenant": "acme",
            "connector": "example",
            "auth_method": "client-credentials",
            "name": "",
            "integrations": ["crm-sync"],
            "status": "active",
            "status_before": "pending",
            "error": None,
        },
    }


def test_trouble_and_its_end_are_told_once_each(endpoint, instance, provider, clock):
    provider.answers = [ProviderUnavailable("No answer came."), ProviderUnavailable("No answer came.")]

    renew(provider, clock)
    renew(provider, clock)
    renew(provider, clock)

    assert types(clock) == ["instance.failing", "instance.recovered"]


def test_a_refusal_says_why(endpoint, instance, provider, clock):
    provider.answers = [REFUSED]

    renew(provider, clock)

    [body] = told(clock)
    assert body["type"] == "instance.action_required"
    assert body["data"]["error"] == {"code": "credentials_refused", "detail": "The provider refused the request."}
    assert (body["data"]["status_before"], body["data"]["status"]) == ("active", "action_required")


def test_a_plain_renewal_is_not_told(endpoint, instance, provider, clock):
    renew(provider, clock)

    assert types(clock) == []


def test_pausing_and_what_ends_it_are_told(endpoint, instance, clock):
    connecting.pause(instance, clock=clock)
    clock.advance(seconds=1)
    connecting.resume(instance, clock=clock)

    assert types(clock) == ["instance.paused", "instance.recovered"]


def test_new_credentials_are_told(endpoint, instance, provider, clock):
    connecting.reconnect(instance, values=VALUES, send=provider, clock=clock)

    assert types(clock) == ["instance.connected"]


def test_a_removal_is_told_though_nothing_of_the_instance_is_left(endpoint, instance, clock):
    pk = str(instance.pk)
    connecting.pause(instance, clock=clock)
    clock.advance(seconds=1)

    connecting.remove(instance, clock=clock)

    assert not Instance.objects.exists()
    bodies = told(clock)
    assert [body["type"] for body in bodies] == ["instance.paused", "instance.removed"]
    assert {body["data"]["instance"] for body in bodies} == {pk}


def test_a_secret_that_expires_soon_is_told_with_its_day(endpoint, instance, clock):
    end = clock() + timedelta(days=20)
    secret_expiry.set_expiry(instance, end, clock=clock)

    secret_expiry.warn(clock())

    [body] = told(clock)
    assert body["type"] == "secret.expiring"
    assert body["data"]["secret_expires_at"] == end.isoformat()
    assert body["data"]["status"] == "active"


def test_a_session_that_is_complete_is_told_with_its_instances(endpoint, crm, provider, clock):
    session, _ = sessions.create(crm, tenant="acme", given={"meetings": VALUES}, clock=clock)

    sessions.commit(session, send=provider, clock=clock)

    body = next(body for body in told(clock) if body["type"] == "session.completed")
    assert body["data"] == {
        "tenant": "acme",
        "session": str(session.pk),
        "integration": "crm-sync",
        "status": "complete",
        "components": {"meetings": {"status": "complete", "instance": str(Instance.objects.get().pk)}},
    }
    assert "s3cret" not in json.dumps(body)


def test_a_session_that_fails_is_told_with_the_reason(endpoint, crm, provider, clock):
    session, _ = sessions.create(crm, tenant="acme", given={"meetings": VALUES}, clock=clock)
    provider.answers = [REFUSED]

    with pytest.raises(sessions.SessionFailed):
        sessions.commit(session, send=provider, clock=clock)

    [body] = told(clock)
    assert body["type"] == "session.failed"
    assert body["data"]["components"]["meetings"]["error"]["code"] == "credentials_refused"


def test_a_session_that_is_cancelled_is_told_once(endpoint, crm, clock):
    session, _ = sessions.create(crm, tenant="acme", clock=clock)

    sessions.cancel(session, clock=clock)
    sessions.cancel(session, clock=clock)

    [body] = told(clock)
    assert body["data"]["components"]["meetings"]["error"]["code"] == "cancelled"


def test_an_endpoint_gets_what_it_asked_for_alone(db, instance, clock):
    Endpoint(URL, clock, types=["instance.removed"])

    connecting.pause(instance, clock=clock)
    connecting.remove(instance, clock=clock)

    assert types(clock) == ["instance.removed"]


def test_an_endpoint_of_an_integration_learns_nothing_of_others(tenant, crm, provider, clock):
    foreign = make_method("foreign")
    erp = Integration.objects.create(key="erp", name="ERP")
    erp.components.create(name="orders", connector=foreign.connector)
    erp.components.create(name="meetings", connector=crm.components.get().connector)
    Endpoint(URL, clock, integration=crm)
    connecting.connect(tenant, foreign, values=VALUES, send=provider, clock=clock)
    session, _ = sessions.create(erp, tenant="acme", clock=clock)
    sessions.cancel(session, clock=clock)

    assert types(clock) == []

    of_both = crm.components.get().connector.auth_methods.get()
    connecting.connect(tenant, of_both, values=VALUES, send=provider, clock=clock)
    assert told(clock)[0]["data"]["integrations"] == ["crm-sync"]


def test_a_component_of_another_method_is_not_concerned(tenant, crm, provider, clock):
    connector = crm.components.get().connector
    other = connector.auth_methods.create(key="other", name="Other", token_request={"url": "https://a.example.com/t"})
    crm.components.update(auth_method=other)
    Endpoint(URL, clock, integration=crm)

    connecting.connect(tenant, connector.auth_methods.exclude(pk=other.pk).get(), values=VALUES, send=provider)

    assert types(clock) == []


def test_a_disabled_endpoint_is_told_nothing(db, instance, clock):
    Endpoint(URL, clock, is_enabled=False, disabled_at=clock())

    connecting.pause(instance, clock=clock)

    assert types(clock) == []


def test_what_is_rolled_back_is_not_told(endpoint, instance, clock):
    undone(lambda: connecting.pause(instance, clock=clock))

    assert types(clock) == []


def test_a_worker_that_dies_in_the_middle_tells_nothing_twice(endpoint, instance, clock):
    connecting.pause(instance, clock=clock)

    undone(lambda: relay.pass_on(clock=clock))

    assert not WebhookDelivery.objects.exists()
    assert Notice.objects.count() == 1
    assert types(clock) == ["instance.paused"]
    assert types(clock) == ["instance.paused"]


def test_without_an_endpoint_notices_go_with_one_look(instance, clock):
    connecting.pause(instance, clock=clock)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        relay.pass_on(clock=clock)

    assert not Notice.objects.exists()
    asked = [query["sql"] for query in queries if "webhook" in query["sql"].lower()]
    assert len(asked) == 1


def test_a_healthy_renewal_costs_not_a_query_more(endpoint, instance, provider, clock):
    clock.advance(hours=2)

    with CaptureQueriesContext(connection) as queries:
        schedule.renew_chunk(send=provider, clock=clock)

    assert not [query["sql"] for query in queries if "notice" in query["sql"]]


def test_an_outage_writes_its_notices_in_one_statement(endpoint, tenant, instance, provider, clock):
    for key in ("second", "third"):
        connecting.connect(tenant, make_method(key), values=VALUES, send=provider, clock=clock)
    Notice.objects.all().delete()
    provider.answers = [ProviderUnavailable("No answer came.")] * 3

    with CaptureQueriesContext(connection) as queries:
        renew(provider, clock)

    assert len([query for query in queries if query["sql"].startswith('INSERT INTO "tenants_notice"')]) == 1
    assert types(clock) == ["instance.failing"] * 3


def test_every_change_of_status_is_told_as_something():
    statuses = Instance.Status.values
    changes = [(before, after) for before in statuses for after in statuses if before != after and after != "pending"]

    assert all(type_of("changed", before, after) for before, after in changes)


@pytest.mark.postgresql_only  # SQLite has one writer at a time: ids are committed in their order
@pytest.mark.django_db(transaction=True)
def test_a_notice_that_is_committed_late_is_passed_on_all_the_same(clock):
    acme = Tenant.objects.create(key="acme")
    Endpoint(URL, clock)
    written, may_commit = threading.Event(), threading.Event()

    def late():
        try:
            with transaction.atomic():
                Notice.objects.create(type="instance.paused", at=clock(), tenant=acme, more={"n": 1})
                written.set()
                assert may_commit.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(60)
    Notice.objects.create(type="instance.removed", at=clock(), tenant=acme)
    assert relay.pass_on(clock=clock) == 1

    may_commit.set()
    thread.join(60)

    assert sorted(types(clock)) == ["instance.paused", "instance.removed"]


def test_sessions_are_told_by_their_integration_alone(db, crm, clock):
    Endpoint(URL, clock, integration=crm)
    session, _ = sessions.create(crm, tenant="acme", clock=clock)

    sessions.cancel(session, clock=clock)

    assert types(clock) == ["session.failed"]
    assert Session.objects.get().state == "failed"
