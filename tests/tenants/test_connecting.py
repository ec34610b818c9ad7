"""What people do to instances, and what happens meanwhile."""

from uuid import uuid4

import pytest
from django.db import connection

from connectors.models import AuthMethod
from connectors.oauth2.errors import ProviderUnavailable, ValidationFailed
from integrations.models import Integration
from tenants import connecting, schedule
from tenants.errors import InstanceNotFound, NameTaken
from tenants.models import Event, Instance, InstanceValues, Tenant, Token
from tests.tenants.provider import answer, history, in_the_middle, make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
NEW_VALUES = {"client_id": "id", "client_secret": "another-value"}


def test_a_connection_is_recorded_with_who_made_it(tenant, method, provider, clock, actor):
    instance = connecting.connect(tenant, method, name=" Main ", values=VALUES, actor=actor, send=provider, clock=clock)

    assert (instance.name, instance.status) == ("Main", Instance.Status.ACTIVE)
    assert history(instance) == [("connected", "pending", "active")]
    assert instance.events.get().actor == actor
    assert Token.objects.get().lease_owner is None


@pytest.mark.parametrize(("name", "fault"), [("x" * 201, "at most 200 characters"), ("a\x00b", "printable")])
def test_a_name_that_cannot_be_one_is_refused_before_anything_is_asked(tenant, method, provider, clock, name, fault):
    with pytest.raises(ValidationFailed, match=fault) as refused:
        connecting.connect(tenant, method, name=name, values=VALUES, send=provider, clock=clock)

    assert "name" in refused.value.fields
    assert not provider.requests


def test_a_taken_name_is_refused_before_anything_is_asked(instance, tenant, method, provider, clock):
    with pytest.raises(NameTaken, match="without a name"):
        connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)

    assert len(provider.requests) == 1


def test_a_name_that_is_taken_while_the_provider_is_asked_is_refused(tenant, method, provider, clock):
    def quicker():
        connecting.add_pending(tenant, method, name="Main", values=VALUES, clock=clock)

    with pytest.raises(NameTaken, match="“Main”"):
        connecting.connect(
            tenant, method, name="Main", values=VALUES, send=in_the_middle(provider, quicker), clock=clock
        )

    assert Instance.objects.get().status == Instance.Status.PENDING


def test_the_same_name_is_free_for_another_connector_and_another_tenant(instance, tenant, method, provider, clock):
    for owner, way in ((tenant, make_method("second")), (Tenant.objects.create(key="other"), method)):
        connecting.connect(owner, way, values=VALUES, send=provider, clock=clock)

    assert Instance.objects.count() == 3


def test_new_values_take_the_old_ones_place_with_the_new_token(instance, provider, clock, actor):
    connecting.reconnect(instance, values=NEW_VALUES, name="New", actor=actor, send=provider, clock=clock)

    stored = Instance.objects.get()
    assert (stored.name, stored.filled_in.values["client_secret"]) == ("New", "another-value")
    assert Token.objects.get().bought.access_token == "token-2"
    assert history(instance)[0] == ("reconnected", "active", "active")
    assert stored.events.first().actor == actor


def test_a_reconnection_waits_for_a_renewal_in_flight(instance, provider, clock):
    renewing = Token.objects.with_methods().get()
    assert renewing.take(clock())

    def sleep(seconds):
        clock.sleep(seconds)
        renewing.renew(send=provider, clock=clock)

    connecting.reconnect(instance, values=NEW_VALUES, send=provider, clock=clock, sleep=sleep)

    assert Token.objects.get().bought.access_token == "token-3"


def test_a_reconnection_asks_where_the_definition_says_once_it_is_its_turn(instance, provider, clock):
    renewing = Token.objects.with_methods().get()
    assert renewing.take(clock())

    def sleep(seconds):
        clock.sleep(seconds)
        method = AuthMethod.objects.get()
        method.token_request, method.revision = {"url": "https://moved.example.com/token"}, uuid4()
        method.save()
        renewing.give_back()

    connecting.reconnect(instance, values=NEW_VALUES, send=provider, clock=clock, sleep=sleep)

    assert provider.requests[-1].url == "https://moved.example.com/token"


def test_a_renewal_cannot_begin_while_a_reconnection_is_in_flight(instance, provider, clock):
    clock.advance(minutes=50)
    claimed = []

    def renew():
        claimed.append(schedule.renew_chunk(send=provider, clock=clock).claimed)

    connecting.reconnect(instance, values=NEW_VALUES, send=in_the_middle(provider, renew), clock=clock)

    assert claimed == [0]


def test_a_reconnection_that_was_overtaken_changes_nothing(instance, provider, clock):
    def overtake():
        clock.advance(minutes=10)
        connecting.check_now(Instance.objects.get(), send=provider, clock=clock)

    with pytest.raises(ProviderUnavailable, match="took too long"):
        connecting.reconnect(
            instance, values=NEW_VALUES, name="New", send=in_the_middle(provider, overtake), clock=clock
        )

    stored = Instance.objects.get()
    assert (stored.name, stored.filled_in.values["client_secret"]) == ("", "s3cret-value")
    assert Token.objects.get().bought.access_token == "token-2"


def test_a_name_that_is_taken_during_a_reconnection_leaves_the_old_values(instance, tenant, method, provider, clock):
    def quicker():
        connecting.add_pending(tenant, method, name="New", values=VALUES, clock=clock)

    with pytest.raises(NameTaken, match="“New”"):
        connecting.reconnect(
            instance, values=NEW_VALUES, name="New", send=in_the_middle(provider, quicker), clock=clock
        )

    token = Token.objects.get(instance=instance)
    assert InstanceValues.objects.get(instance=instance).values["client_secret"] == "s3cret-value"
    assert (token.lease_owner, token.bought.access_token) == (None, "token-1")


def test_a_reconnection_resumes_what_was_paused_meanwhile(instance, provider, clock):
    send = in_the_middle(provider, lambda: connecting.pause(Instance.objects.get(), clock=clock))

    connecting.reconnect(instance, values=NEW_VALUES, send=send, clock=clock)

    assert instance.status == Instance.Status.ACTIVE
    assert Token.objects.get().refresh_at is not None


def test_a_reconnection_mends_what_was_set_aside(instance, provider, clock):
    clock.advance(hours=2)
    provider.answers = [answer(401, {"error": "invalid_client"})]
    schedule.renew_chunk(send=provider, clock=clock)

    connecting.reconnect(instance, values=NEW_VALUES, send=provider, clock=clock)

    assert (instance.status, instance.status_code, instance.status_reason) == (Instance.Status.ACTIVE, "", "")
    assert history(instance)[0] == ("reconnected", "action_required", "active")


def test_a_reconnection_mends_secrets_that_cannot_be_read_any_more(instance, provider, clock, settings):
    settings.FERNET_KEYS = ["another key that is long enough to be one"]

    connecting.reconnect(Instance.objects.get(), values=VALUES, send=provider, clock=clock)

    assert Instance.objects.find("acme", "example").credentials(clock=clock).access_token == "token-2"


def test_new_credentials_are_not_held_to_the_old_ones_rejections(instance, provider, clock):
    Token.objects.update(rejections=5, rejections_since=clock())
    connecting.reconnect(instance, values=NEW_VALUES, send=provider, clock=clock)

    assert instance.report_rejected("token-2", clock=clock)


@pytest.mark.parametrize("action", ["reconnect", "check_now", "pause", "resume", "rename"])
def test_what_was_removed_meanwhile_is_said_in_words(instance, provider, clock, action):
    connecting.remove(Instance.objects.get())
    act = {
        "reconnect": lambda: connecting.reconnect(instance, values=NEW_VALUES, send=provider, clock=clock),
        "check_now": lambda: connecting.check_now(instance, send=provider, clock=clock),
        "pause": lambda: connecting.pause(instance, clock=clock),
        "resume": lambda: connecting.resume(instance, clock=clock),
        "rename": lambda: connecting.rename(instance, "New", clock=clock),
    }[action]

    with pytest.raises(InstanceNotFound, match="removed meanwhile"):
        act()

    assert len(provider.requests) == 1


@pytest.mark.parametrize("action", ["reconnect", "check_now"])
def test_a_removal_while_the_provider_is_asked_is_said_in_words(instance, provider, clock, action):
    send = in_the_middle(provider, lambda: connecting.remove(Instance.objects.get()))
    values = {"values": NEW_VALUES} if action == "reconnect" else {}

    with pytest.raises(InstanceNotFound, match="removed meanwhile"):
        getattr(connecting, action)(instance, **values, send=send, clock=clock)

    assert not InstanceValues.objects.exists()


def test_removing_twice_is_no_error(instance):
    connecting.remove(Instance.objects.get())

    connecting.remove(instance)

    assert not Event.objects.exists()


def test_an_instance_without_a_token_row_can_be_connected(tenant, method, provider, clock):
    bare = Instance.objects.create(tenant=tenant, auth_method=method)

    connecting.reconnect(bare, values=VALUES, send=provider, clock=clock)

    assert bare.status == Instance.Status.ACTIVE
    assert Instance.objects.find("acme", "example").credentials(clock=clock).access_token == "token-1"


def test_readers_are_named(instance, method):
    crm = Integration.objects.create(key="crm", name="CRM sync")
    others = make_method("other")
    for name, connector, way in (
        ("any", method.connector, None),
        ("this", method.connector, method),
        ("other", others.connector, None),
    ):
        crm.components.create(name=name, connector=connector, auth_method=way)

    assert connecting.readers_of(instance) == ["CRM sync (any)", "CRM sync (this)"]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_network_is_in_use(tenant, method, provider, clock):
    def send(request):
        assert not connection.in_atomic_block
        return provider(request)

    instance = connecting.connect(tenant, method, values=VALUES, send=send, clock=clock)
    connecting.reconnect(instance, values=NEW_VALUES, send=send, clock=clock)
    connecting.check_now(instance, send=send, clock=clock)
    clock.advance(hours=2)
    Instance.objects.find("acme", "example").credentials(send=send, clock=clock)
    clock.advance(hours=2)
    schedule.renew_chunk(send=send, clock=clock)

    assert len(provider.requests) == 5
    assert instance.events.filter(kind=Event.Kind.RENEWED).count() == 3
