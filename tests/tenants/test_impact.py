"""What a changed definition does to instances, said before it is made and marked after."""

import pytest

from connectors.documents import store_connector
from connectors.impact import State, WouldBreak, watched
from connectors.models import Connector
from connectors.oauth2 import definition
from tenants import connecting, impact
from tenants.models import Event, Instance, InstanceValues, Tenant, Token

pytestmark = pytest.mark.both_databases
REQUEST = {"url": "https://auth.example.com/token"}
DOCUMENT = {
    "kind": "connector",
    "key": "acme-api",
    "name": "Acme API",
    "auth_methods": [{"key": "machine", "name": "Machine", "token_request": REQUEST}],
}
VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
REGION = {"key": "region", "label": "Region", "default": "eu"}
WITH_REGION = {"token_request": {**REQUEST, "query": {"region": "{{region}}"}}}


def document(**method):
    methods = [{**DOCUMENT["auth_methods"][0], **method}]
    return definition.Connector.model_validate({**DOCUMENT, "auth_methods": methods})


def change(confirmed=False, actor=None, **method):
    with watched(["acme-api"], confirmed=confirmed, actor=actor) as impacts:
        store_connector(document(**method))
    return impacts


@pytest.fixture
def connected(tenant, provider, clock):
    """Connects an instance with values beyond the client's."""

    def connect(name="", **values):
        method = Connector.objects.get(key="acme-api").auth_methods.get()
        return connecting.connect(tenant, method, name=name, values={**VALUES, **values}, send=provider, clock=clock)

    return connect


@pytest.fixture
def plain(db):
    store_connector(document())


@pytest.fixture
def regional(db):
    store_connector(document(variables=[REGION], **WITH_REGION))


def test_a_required_variable_without_a_default_breaks_an_instance_and_is_refused(plain, connected):
    connected()
    account = {"key": "account_id", "label": "Account ID"}

    with pytest.raises(WouldBreak, match="would break 1 instance") as refused:
        change(variables=[account])

    assert refused.value.lines() == [
        "Machine: New and required: Account ID.",
        "Machine: 1 of 1 instance can't go on with it.",
        "Acme API of Acme: The definition now asks for Account ID, which this instance has no value for. "
        "Reconnect it and fill in what is asked for.",
    ]
    assert not Connector.objects.get().auth_methods.get().variables.filter(key="account_id").exists()
    assert Instance.objects.get().status == "active"


def test_confirmed_it_marks_the_instance_with_the_reason_and_an_event(plain, connected, actor):
    instance = connected()

    change(confirmed=True, actor=actor, variables=[{"key": "account_id", "label": "Account ID"}])

    instance.refresh_from_db()
    event = instance.events.first()
    assert (instance.status, instance.status_code) == ("action_required", "validation_failed")
    assert instance.status_reason.startswith("The definition now asks for Account ID, which this instance has no value")
    assert (event.kind, event.status_before, event.status_after) == ("action_required", "active", "action_required")
    assert (event.message, event.actor) == (instance.status_reason, actor)
    assert instance.token.refresh_at is None


def test_the_confirmation_counts_for_what_was_shown_alone(plain, connected):
    connected("one")
    with pytest.raises(WouldBreak) as shown:
        change(variables=[{"key": "account_id"}])
    connected("two")

    with pytest.raises(WouldBreak):
        change(confirmed=shown.value.fingerprint, variables=[{"key": "account_id"}])

    assert not Instance.objects.needing_attention().exists()


def test_the_shown_fingerprint_confirms(plain, connected):
    connected()
    with pytest.raises(WouldBreak) as shown:
        change(variables=[{"key": "account_id"}])

    change(confirmed=shown.value.fingerprint, variables=[{"key": "account_id"}])

    assert Instance.objects.needing_attention().count() == 1


@pytest.mark.parametrize(
    "rule",
    [{"pattern": "[a-z]{2}"}, {"choices": ["eu", "us"]}, {"format": "url", "default": ""}],
    ids=["pattern", "choices", "format"],
)
def test_a_rule_that_a_stored_value_violates_breaks_that_instance_alone(regional, connected, rule):
    connected("kept")
    broken = connected("broken", region="Europe 1")

    with pytest.raises(WouldBreak) as refused:
        change(variables=[{**REGION, "required": False, **rule}], **WITH_REGION)

    (found,) = refused.value.impacts[0].broken
    assert found.instance == broken.pk
    assert found.reason.startswith("The definition no longer takes the value that this instance has for Region.")
    assert "Europe 1" not in found.reason


def test_a_value_that_makes_no_address_any_more_breaks_the_instance(regional, connected):
    connected(region="not a host")

    with pytest.raises(WouldBreak) as refused:
        change(variables=[REGION], token_request={"url": "https://{{region}}.example.com/token"})

    assert "The token URL can't be made of this instance's values any more." in refused.value.lines()[-1]


def test_changed_requests_are_told_and_break_nothing(plain, connected):
    connected()

    (told,) = change(
        variables=[{"key": "scope", "default": "read"}],
        token_request={"url": "https://new.example.com/token", "client_authentication": "client_secret_basic"},
    )

    assert list(told.notes) == [
        "Machine: Default of Scope: “” → “read”, for every instance without a value of its own.",
        "Machine: Token URL: “https://auth.example.com/token” → “https://new.example.com/token”",
        "Machine: Client authentication: “client_secret_post” → “client_secret_basic”",
        "Machine: 1 instance goes on with the values that it has. It will use the changed requests "
        "from the next renewal on.",
    ]
    assert Instance.objects.get().status == "active"


def test_words_for_people_have_no_effect_on_instances(plain, connected):
    connected()

    (told,) = change(instructions="Read this.", variables=[{"key": "client_id", "help_text": "On the page."}])

    assert (list(told.notes), list(told.broken)) == ([], [])


def test_without_instances_nothing_is_said(plain):
    (told,) = change(variables=[{"key": "account_id"}])

    assert list(told.notes) == []


def test_trouble_that_was_there_before_is_no_fault_of_the_change(regional, connected):
    instance = connected(region="x")
    InstanceValues.objects.get(pk=instance.pk).delete()

    (told,) = change(variables=[{**REGION, "pattern": "[a-z]+"}], **WITH_REGION)

    assert list(told.broken) == []


def test_a_paused_instance_stays_paused_and_the_event_tells(plain, connected):
    instance = connected()
    connecting.pause(instance)

    change(confirmed=True, variables=[{"key": "account_id"}])

    instance.refresh_from_db()
    assert instance.status == "paused"
    assert instance.events.first().kind == Event.Kind.CHANGED
    assert "asks for Account id" in instance.events.first().message


def test_a_renewal_in_flight_does_not_undo_the_mark(plain, connected, provider, clock):
    instance = connected()
    token = Token.objects.with_methods().get(pk=instance.pk)
    assert token.take(clock())
    grant = token.ask(send=provider, clock=clock)

    change(confirmed=True, variables=[{"key": "account_id"}])

    assert not token.keep(grant)
    instance.refresh_from_db()
    assert instance.status == "action_required"


def test_other_connectors_instances_are_left_alone(plain, connected, instance):
    connected()

    change(confirmed=True, variables=[{"key": "account_id"}])

    instance.refresh_from_db()
    assert instance.status == "active"


def test_an_operators_value_taken_away_breaks_what_relied_on_it(plain, connected):
    connected()
    shown = document(variables=[{"key": "account_id", "display": "read_only"}])
    before, after = State(shown, {"machine": {"account_id": "ours"}}), State(shown, {"machine": {}})

    found = impact.assess(before, after, progress=lambda done, total: None)

    assert "The administrator of this platform must set what is missing" in found.broken[0].reason


def test_many_instances_are_looked_at_in_batches_with_progress(plain, connected, monkeypatch):
    monkeypatch.setattr(impact, "BATCH", 2)
    for number in range(5):
        connected(f"n{number}")
    seen = []

    with watched(["acme-api"], confirmed=True, progress=lambda done, total: seen.append((done, total))):
        store_connector(document(variables=[{"key": "account_id"}]))

    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert Instance.objects.needing_attention().count() == 5


def test_unreadable_values_hide_no_other_instance(plain, connected, settings):
    connected("readable")
    present = settings.FERNET_KEYS
    settings.FERNET_KEYS = ["another key, which is lost"]
    connected("unreadable")
    settings.FERNET_KEYS = present

    with pytest.raises(WouldBreak) as refused:
        change(variables=[{"key": "account_id"}])

    assert [one.name for one in refused.value.impacts[0].broken] == ["readable"]


def test_tenants_are_named(plain, connected, provider, clock):
    method = Connector.objects.get(key="acme-api").auth_methods.get()
    other = Tenant.objects.create(key="globex", name="Globex")
    connecting.connect(other, method, values=VALUES, send=provider, clock=clock)

    with pytest.raises(WouldBreak) as refused:
        change(variables=[{"key": "account_id"}])

    assert refused.value.impacts[0].broken[0].tenant == "Globex"
