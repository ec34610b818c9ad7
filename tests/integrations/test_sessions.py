"""What a commit does, and what nobody else may do meanwhile."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from integrations import sessions
from integrations.models import Binding, Integration, Session, SessionPart
from tenants import connecting, database_time
from tenants.errors import CredentialsRefused, ProviderUnavailable
from tenants.models import Instance, InstanceValues, Tenant, Token
from tenants.models.endpoint import Endpoint
from tenants.models.next_values import NextValues
from tests.tenants.provider import Provider, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
REFUSED = CredentialsRefused("The provider refused the request.")


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def crm(db):
    integration = Integration.objects.create(key="crm-sync", name="CRM sync")
    for position, name in enumerate(("meetings", "chat")):
        method = make_method(name)
        integration.components.create(name=name, connector=method.connector, auth_method=method, position=position)
    return integration


def create(crm, **wanted):
    given = {"meetings": VALUES, "chat": VALUES}
    return sessions.create(crm, **{"tenant": "acme", "given": given, **wanted})[0]


def refusing(host, provider):
    def send(request):
        if host in request.url:
            raise REFUSED
        return provider(request)

    return send


def test_a_commit_connects_binds_and_forgets_what_was_given(crm, provider):
    session = create(crm)

    sessions.commit(session, send=provider)

    assert session.state == "complete"
    assert Instance.objects.count() == Binding.objects.count() == len(provider.requests) == 2
    assert [part.values for part in SessionPart.objects.all()] == [{}, {}]
    assert crm.credentials("acme", "chat").access_token in ("token-1", "token-2")


def test_a_failure_stores_nothing_and_can_be_tried_again(crm, provider):
    session = create(crm)
    provider.answers = [REFUSED]

    with pytest.raises(sessions.SessionFailed) as failed:
        sessions.commit(session, send=provider)

    assert len(failed.value.parts) == 1
    assert failed.value.code == "credentials_refused"
    assert not Instance.objects.exists()
    assert session.state == "failed"
    sessions.commit(session, send=provider)
    assert session.state == "complete"


def test_every_component_that_fails_is_told_of(crm):
    session = create(crm)
    provider = Provider()
    provider.answers = [REFUSED, ProviderUnavailable("No answer came.")]

    with pytest.raises(sessions.SessionFailed) as failed:
        sessions.commit(session, send=provider)

    codes = {problem["code"] for problem in failed.value.parts.values()}
    assert codes == {"credentials_refused", "provider_unavailable"}


def test_an_unforeseen_fault_is_owned_up_to_and_shows_no_secret(crm, caplog):
    session = create(crm)

    def send(request):
        raise RuntimeError(f"boom {VALUES['client_secret']}")

    with pytest.raises(sessions.SessionFailed) as failed:
        sessions.commit(session, send=send)

    assert "s3cret-value" not in caplog.text + str(failed.value)
    assert session.state == "failed"
    assert session.started_at is None


def test_what_is_being_connected_is_not_connected_twice(crm, provider):
    session = create(crm)
    Session.objects.filter(pk=session.pk).update(started_at=database_time.now())

    with pytest.raises(sessions.SessionInUse):
        sessions.commit(session, send=provider)

    assert session.status(database_time.now()) == "open"
    assert provider.requests == []


def test_who_died_while_connecting_leaves_a_session_that_can_be_connected(crm, provider):
    session = create(crm)
    long_ago = database_time.now() - timedelta(hours=1)
    Session.objects.filter(pk=session.pk).update(started_at=long_ago, created_at=long_ago)

    sessions.commit(session, send=provider)

    assert session.state == "complete"


def test_a_reconnect_that_fails_keeps_the_old_token_and_gives_the_lease_back(crm, provider):
    acme = Tenant.objects.create(key="acme")
    method = crm.components.get(name="meetings").auth_method
    instance = connecting.connect(acme, method, values=VALUES, send=provider)
    session = create(crm, instances={"meetings": instance.pk})

    with pytest.raises(sessions.SessionFailed):
        sessions.commit(session, send=_only_second_refused(provider))

    token = Token.objects.get(pk=instance.pk)
    assert token.lease_owner is None
    assert token.bought.access_token == "token-1"
    assert not token.is_rejected
    assert Instance.objects.get().status == "active"


def test_a_token_that_was_killed_for_nothing_is_replaced(crm, provider):
    acme = Tenant.objects.create(key="acme")
    method = crm.components.get(name="meetings").auth_method
    method.refresh = {"invalidates_previous": True}
    method.save()
    type(method).objects.filter(pk=method.pk).touch()
    method.refresh_from_db()
    instance = connecting.connect(acme, method, values=VALUES, send=provider)
    component = crm.components.get(name="chat")
    chat = component.auth_method
    chat.token_request = {"url": "https://chat.example.com/token"}
    chat.save()
    type(chat).objects.filter(pk=chat.pk).touch()
    session = create(crm, instances={"meetings": instance.pk})

    with pytest.raises(sessions.SessionFailed):
        sessions.commit(session, send=refusing("chat.example.com", provider))

    assert Token.objects.get(pk=instance.pk).is_rejected


def test_an_instance_that_is_removed_meanwhile_is_not_connected_anew(crm, provider):
    acme = Tenant.objects.create(key="acme")
    method = crm.components.get(name="meetings").auth_method
    instance = connecting.connect(acme, method, values=VALUES, send=provider)
    session = create(crm, instances={"meetings": instance.pk})
    instance.delete()

    with pytest.raises(sessions.SessionFailed) as failed:
        sessions.commit(session, send=provider)

    assert failed.value.parts["meetings"]["code"] == "instance_not_found"


def test_expired_input_is_deleted_and_old_sessions_go(crm):
    session = create(crm, expires_in=60)
    other = create(crm, expires_in=3600)

    sessions.prune(session.expires_at)
    assert {part.session_id: bool(part.values) for part in SessionPart.objects.all()} == {
        session.pk: False,
        other.pk: True,
    }

    sessions.prune(session.expires_at + sessions.KEPT + timedelta(seconds=1))
    assert list(Session.objects.all()) == [other]


def test_another_tenants_instance_can_not_be_reconnected(crm, provider):
    stranger = Tenant.objects.create(key="stranger")
    method = crm.components.get(name="meetings").auth_method
    instance = connecting.connect(stranger, method, values=VALUES, send=provider)

    with pytest.raises(sessions.ValidationFailed) as refused:
        create(crm, instances=[instance.pk])

    assert "instances.0" in refused.value.fields


def _only_second_refused(provider):
    """The first request is answered, the other refused, whichever comes first."""
    lock, asked = threading.Lock(), []

    def send(request):
        with lock:
            asked.append(request)
            if len(asked) > 1:
                raise REFUSED
        return provider(request)

    return send


@pytest.mark.django_db(transaction=True)
def test_many_commits_at_once_ask_once(crm, provider):
    session = create(crm)
    ends = []

    def commit():
        try:
            sessions.commit(Session.objects.get(pk=session.pk), send=provider)
            ends.append("done")
        except sessions.SessionInUse:
            ends.append("in use")
        finally:
            connection.close()

    threads = [threading.Thread(target=commit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(ends) == 6
    assert "done" in ends
    assert len(provider.requests) == 2
    assert Instance.objects.count() == 2


def test_a_name_that_is_taken_while_the_provider_is_asked_is_avoided(crm, provider):
    session = create(crm, components=["meetings"], given={"meetings": {**VALUES, "$name": "Sales"}})
    method = crm.components.get(name="meetings").auth_method
    Instance.objects.create(tenant=Tenant.objects.get(key="acme"), auth_method=method, name="Sales")

    sessions.commit(session, send=provider)

    assert sorted(Instance.objects.values_list("name", flat=True)) == ["Sales", "Sales 2"]


def test_a_session_overtakes_the_next_secret_of_what_it_reconnects(crm, provider):
    acme = Tenant.objects.create(key="acme")
    method = crm.components.get(name="meetings").auth_method
    instance = connecting.connect(acme, method, values=VALUES, send=provider)
    InstanceValues.objects.update(secret_expires_at=database_time.now())
    NextValues.objects.create(instance=instance, values={"client_secret": "next"}, added_at=database_time.now())
    session = create(crm, instances={"meetings": instance.pk})

    sessions.commit(session, send=provider)

    assert not NextValues.objects.exists()
    assert InstanceValues.objects.get(instance=instance).secret_expires_at is None
    assert Token.objects.get(pk=instance.pk).endpoint == "https://auth.example.com"


def test_an_endpoint_that_wishes_to_be_left_alone_is_not_asked(crm, provider):
    now = database_time.now()
    later = now + timedelta(minutes=5)
    Endpoint.objects.create(
        origin="https://auth.example.com", since=now, witness=uuid4(), is_closed=True, retry_at=later, alone_until=later
    )

    with pytest.raises(sessions.SessionFailed) as failed:
        sessions.commit(create(crm), send=provider)

    assert failed.value.code == "provider_unavailable"
    assert provider.requests == []
