"""What can be connected, by HTTP."""

from connectors.models import Connector, Variable
from tests.integrations.api.conftest import Caller
from tests.tenants.wizard.rows import add_variable, make_method


def test_a_connector_says_what_a_tenant_is_asked_for(zoom, call):
    add_variable(zoom, "account_id", label="Account ID", choices=["a", {"value": "b", "label": "Bee"}])
    Variable.objects.create(connector=zoom.connector, key="region", default="eu")

    body = call("GET", "connectors/zoom").json()

    (method,) = body["auth_methods"]
    asked = {variable["key"]: variable for variable in method["variables"]}
    assert [variable["key"] for variable in body["variables"]] == ["region"]
    assert set(asked) == {"scope", "grant_type", "client_id", "client_secret", "token_key", "account_id"}
    assert asked["client_secret"]["secret"] is True
    assert asked["scope"]["required"] is False
    assert asked["account_id"]["label"] == "Account ID"
    assert asked["account_id"]["choices"] == [{"value": "a", "label": "a"}, {"value": "b", "label": "Bee"}]
    assert asked["grant_type"] | {"default": "client_credentials", "display": "advanced"} == asked["grant_type"]


def test_an_operators_value_is_not_shown(zoom, call):
    add_variable(zoom, "partner", display="hidden", operator_value="operators-own")

    response = call("GET", "connectors/zoom")

    assert "operators-own" not in response.text


def test_a_supplied_variable_that_nothing_uses_is_not_listed(zoom, call):
    zoom.token_request = {**zoom.token_request, "body": {"grant_type": "{{grant_type}}"}}
    zoom.save()

    (method,) = call("GET", "connectors/zoom").json()["auth_methods"]

    assert "scope" not in {variable["key"] for variable in method["variables"]}


def test_a_connector_without_a_method_is_not_there(db, call):
    Connector.objects.create(key="bare", name="Bare")

    assert call("GET", "connectors/bare").json()["code"] == "not_found"
    assert call("GET", "connectors").json()["items"] == []


def test_a_list_costs_the_same_however_long(zoom, make_key, django_assert_num_queries):
    caller = Caller(make_key())
    caller("GET", "connectors")
    for number in range(5):
        make_method(Connector.objects.create(key=f"c{number}", name=str(number)))

    with django_assert_num_queries(5):  # the key, and the four of with_definitions()
        assert len(caller("GET", "connectors").json()["items"]) == 6
