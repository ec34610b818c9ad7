"""`find` and `credentials` go past the ORM: what they hand out, and refuse, is what the models would."""

import copy
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from connectors.encryption import SecretUnreadable
from tenants import connecting, schedule
from tenants.errors import InstanceNotFound, NotConnected, SeveralInstances
from tenants.models import Instance, Tenant, Token
from tests.tenants.provider import make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


@pytest.fixture(autouse=True)
def carried_for(monkeypatch):
    """What was read counts as just read for longer than any busy machine takes; or for as long as a test says."""

    def seconds(seconds):
        monkeypatch.setattr("tenants.models.readable._CARRIED_FOR", seconds)

    seconds(600.0)
    return seconds


@pytest.fixture
def renew(provider, clock):
    """The schedule's renewal of everything, as another process would do it."""

    def renewed():
        Token.objects.update(refresh_at=clock())
        assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1

    return renewed


def token_of(instance, clock):
    return instance.credentials(clock=clock).access_token


def damage(model, column):
    # Past the field, which would encrypt it.
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{model._meta.db_table}" SET "{column}" = %s', [b"damaged"])  # noqa: S608


@pytest.mark.parametrize("arguments", [("acme", "example"), ("acme", "example", "")])
def test_what_is_found_and_its_token_cost_one_query_in_all(instance, clock, arguments, django_assert_num_queries):
    token_of(instance, clock)  # what was not read before, such as the definition

    with django_assert_num_queries(1):
        token = token_of(Instance.objects.find(*arguments), clock)

    assert token == "token-1"


def test_each_further_read_costs_one_query(instance, clock, django_assert_num_queries):
    found = Instance.objects.find("acme", "example")
    token_of(found, clock)

    with django_assert_num_queries(2):
        token_of(found, clock)
        token_of(Instance(pk=instance.pk), clock)


def test_what_is_found_is_the_row_as_the_orm_reads_it(instance):
    found, same = Instance.objects.find("acme", "example"), Instance.objects.get(pk=instance.pk)

    assert found == same
    for field in Instance._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(same, field.attname), field
    assert (found._state.db, found._state.adding) == (same._state.db, same._state.adding)
    assert not found.get_deferred_fields()
    assert found.tenant.key == "acme"
    assert found.token.bought.access_token == "token-1"


def test_what_is_found_can_be_saved(instance):
    found = Instance.objects.find("acme", "example")
    found.name = "renamed"

    found.save()

    assert Instance.objects.get().name == "renamed"
    assert Instance.objects.get().created_at == instance.created_at


def test_a_token_that_was_renewed_elsewhere_is_what_a_held_instance_reads(instance, clock, renew):
    found = Instance.objects.find("acme", "example")
    assert token_of(found, clock) == "token-1"

    renew()

    assert token_of(found, clock) == "token-2"


def test_a_pause_elsewhere_counts_for_a_held_instance(instance, clock):
    found = Instance.objects.find("acme", "example")
    assert found.token.bought.access_token == token_of(found, clock)

    connecting.pause(Instance.objects.get(), clock=clock)

    with pytest.raises(NotConnected, match="is paused"):
        token_of(found, clock)


def test_a_token_that_was_rejected_is_not_read_again_from_the_same_instance(instance, provider, clock):
    found = Instance.objects.find("acme", "example")

    assert found.credentials(send=provider, clock=clock).report_rejected()

    assert Token.objects.get().is_rejected
    assert found.credentials(send=provider, clock=clock).access_token == "token-2"


def test_what_was_read_too_long_ago_is_read_anew(instance, clock, renew, carried_for):
    carried_for(0.0)
    found = Instance.objects.find("acme", "example")

    renew()

    assert token_of(found, clock) == "token-2"


def test_who_changes_what_was_found_reads_the_change_at_once(instance, provider, clock):
    found = Instance.objects.find("acme", "example")
    connecting.pause(found, clock=clock)
    with pytest.raises(NotConnected, match="is paused"):
        token_of(found, clock)

    connecting.resume(found, clock=clock)
    found = Instance.objects.find("acme", "example")
    assert found.report_rejected("token-1", clock=clock)
    assert found.credentials(send=provider, clock=clock).access_token == "token-2"


def test_what_was_found_and_then_removed_is_said_to_be_so(instance, clock, carried_for):
    carried_for(0.0)
    found = Instance.objects.find("acme", "example")

    connecting.remove(instance)

    with pytest.raises(InstanceNotFound, match="removed meanwhile"):
        token_of(found, clock)


def pickled(found):
    return pickle.loads(pickle.dumps(found))  # noqa: S301 -- our own


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_of_what_was_found_reads_for_itself(instance, clock, renew, again):
    copied = again(Instance.objects.find("acme", "example"))

    renew()

    assert token_of(copied, clock) == "token-2"


def test_a_pickle_of_what_was_found_holds_nothing_that_is_secret_even_encrypted(instance):
    with connection.cursor() as cursor:
        cursor.execute('SELECT t."secrets" FROM "tenants_token" t')
        ciphertext = bytes(cursor.fetchone()[0])

    assert ciphertext not in pickle.dumps(Instance.objects.find("acme", "example"))


def test_a_set_that_was_narrowed_down_finds_what_is_in_it_and_nothing_else(instance, method, provider, clock):
    other = Tenant.objects.create(key="other")
    connecting.connect(other, method, values=VALUES, send=provider, clock=clock)
    paused = Instance.objects.filter(status=Instance.Status.PAUSED)

    for narrowed in (other.instances, paused, Instance.objects.none(), Instance.objects.exclude(name="")):
        with pytest.raises(InstanceNotFound):
            narrowed.find("acme", "example")
    assert instance.tenant.instances.find("acme", "example") == instance


def test_a_set_that_was_asked_for_more_gives_it(instance):
    found = Instance.objects.select_related("tenant").prefetch_related("events").find("acme", "example")

    assert "tenant" in found._state.fields_cache
    assert "events" in found._prefetched_objects_cache


def test_what_is_stored_is_shown_by_a_narrowed_set_only_of_those_in_it(instance):
    assert Instance.objects.filter(tenant=instance.tenant).stored(instance.pk) is not None
    assert Instance.objects.exclude(tenant=instance.tenant).stored(instance.pk) is None
    assert Instance.objects.none().stored(instance.pk) is None


def test_an_instance_without_a_token_beside_another_makes_several(instance, method):
    Instance.objects.create(tenant=instance.tenant, auth_method=method, name="bare")

    with pytest.raises(SeveralInstances) as several:
        Instance.objects.find("acme", "example")

    assert several.value.names == ("", "bare")
    assert Instance.objects.find("acme", "example", "bare").name == "bare"


def test_keys_that_are_numbers_are_texts_like_any_other(method, provider, clock):
    tenant = Tenant.objects.create(key="42")
    connected = connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)

    assert Instance.objects.find(42, "example") == connected
    with pytest.raises(InstanceNotFound, match="tenant 43"):
        Instance.objects.find(43, "example")


def test_what_shows_a_row_shows_neither_token_nor_values(instance):
    stored = Instance.objects.stored(instance.pk)

    assert str(stored.instance_id) in repr(stored)
    assert "secrets" not in repr(stored)
    assert "values" not in repr(stored)


class TestValues:
    def test_are_not_decrypted_where_the_token_alone_signs(self, instance, clock):
        damage(type(instance.filled_in), "values")

        assert token_of(Instance.objects.find("acme", "example"), clock) == "token-1"

    def test_are_decrypted_where_a_definition_signs_with_them(self, tenant, provider, clock):
        method = make_method("signed", api_request={"headers": {"X-Client": "{{client_id}}"}})
        connected = connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)
        found = Instance.objects.find("acme", "signed")

        assert found.credentials(clock=clock).headers == {"X-Client": "id"}
        damage(type(connected.filled_in), "values")
        with pytest.raises(SecretUnreadable, match=r"InstanceValues\.values could not be read"):
            token_of(found, clock)


def test_a_damaged_token_is_said_to_be_so(instance, clock):
    damage(Token, "secrets")

    with pytest.raises(SecretUnreadable, match=r"tenants\.Token\.secrets could not be read"):
        token_of(Instance.objects.find("acme", "example"), clock)


def test_a_client_and_an_auth_of_what_was_found_cost_no_query(instance, django_assert_num_queries):
    Instance.objects.find("acme", "example").client().close()  # reads what was not read before: the definition
    found = Instance.objects.find("acme", "example")

    with django_assert_num_queries(0):
        found.client().close()
        found.auth()


def test_what_a_long_lived_client_signs_with_is_read_for_each_request(instance, clock):
    now = datetime.now(UTC)
    Token.objects.update(issued_at=now, expires_at=now + timedelta(hours=1))
    found = Instance.objects.find("acme", "example")

    with found.client() as http:
        connecting.pause(Instance.objects.get())
        found.refresh_from_db()
        with pytest.raises(NotConnected):
            http.get("/users/me")
