"""Documents and rows: round trips, changes in place, what is refused."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.django import TestCase

from connectors.documents import (
    DocumentRefused,
    add_supplied_variables,
    connector_document,
    store_connector,
    write_connector,
)
from connectors.models import AuthMethod, Connector, Variable
from connectors.oauth2 import definition
from connectors.oauth2.definition import SUPPLIED_KEYS
from connectors.oauth2.problems import dotted
from connectors.validation import validated
from connectors.yaml_text import read_documents
from connectors.yaml_writing import write_documents
from integrations.models import Component, Integration
from tenants.models import Instance, Tenant
from tests.connectors.definition_strategies import CONNECTORS

METHOD: dict[str, Any] = {"key": "oauth", "name": "OAuth", "token_request": {"url": "https://example.com/token"}}


def parsed(**changes: Any) -> definition.Connector:
    document = {"kind": "connector", "key": "service", "name": "Service", "auth_methods": [METHOD], **changes}
    return definition.Connector.model_validate(document)


def exported(key: str = "service") -> dict[str, Any]:
    return connector_document(Connector.objects.with_definitions().get(key=key))


def snapshot() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Connector, AuthMethod, Variable)]


def revision(key: str = "oauth") -> object:
    return AuthMethod.objects.get(key=key).revision


def through_text(document: dict[str, Any]) -> definition.Connector:
    """The document as it comes out of its YAML."""
    (node,), findings = read_documents(write_documents([document]).encode())
    read, problems = validated(definition.Connector, node.value)
    assert (findings, problems) == ([], [])
    assert read is not None
    return read


@pytest.mark.both_databases
class RoundTripTests(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(CONNECTORS, CONNECTORS)
    def test_a_document_comes_back_as_it_went_in_whatever_was_there_before(self, first, second):
        write_connector(through_text(first))

        for data in (first, second):
            document = through_text(data)
            write_connector(document)
            for method in AuthMethod.objects.exclude(key__in=[one.key for one in document.auth_methods]):
                method.delete()

            assert json.dumps(exported()) == json.dumps(document.stated())
            assert document == definition.Connector.model_validate(data)
            for method in AuthMethod.objects.all():
                assert set(SUPPLIED_KEYS) <= {variable.key for variable in method.variables.all()}

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(CONNECTORS)
    def test_what_was_exported_changes_nothing_when_imported(self, data):
        write_connector(through_text(data))
        before = snapshot()

        change = write_connector(through_text(exported()))

        assert str(change) == "service: unchanged"
        assert snapshot() == before


@pytest.mark.django_db
@pytest.mark.both_databases
class TestStoring:
    def test_a_new_document_makes_the_supplied_variables_in_their_usual_order(self):
        change = store_connector(parsed(auth_methods=[{**METHOD, "variables": [{"key": "region"}, {"key": "scope"}]}]))

        assert str(change) == "service: created"
        keys = list(Variable.objects.values_list("key", flat=True))
        assert keys == ["grant_type", "client_id", "client_secret", "token_key", "region", "scope"]

    def test_rows_are_changed_in_place_and_operators_values_stay(self):
        store_connector(parsed(auth_methods=[{**METHOD, "variables": [{"key": "region"}, {"key": "old"}]}]))
        region = Variable.objects.get(key="region")
        Variable.objects.filter(pk=region.pk).update(operator_value="eu")

        changed = {"key": "region", "label": "Region", "display": "hidden"}
        change = store_connector(parsed(auth_methods=[{**METHOD, "variables": [changed]}]))

        assert (
            str(change)
            == "service: changed (auth_methods.oauth: variables.region.label, variables.region.display, variables.old)"
        )
        region.refresh_from_db()
        assert (region.label, region.operator_value) == ("Region", "eu")
        assert not Variable.objects.filter(key="old").exists()
        assert set(SUPPLIED_KEYS) < set(Variable.objects.values_list("key", flat=True))

    def test_a_change_draws_a_new_revision_of_that_method_alone(self):
        store_connector(parsed(auth_methods=[METHOD, {**METHOD, "key": "other"}]))
        before, other = revision(), revision("other")

        store_connector(parsed(auth_methods=[{**METHOD, "refresh": {"early": 5}}, {**METHOD, "key": "other"}]))

        assert revision() != before
        assert revision("other") == other

    def test_a_change_of_the_connector_draws_new_revisions_of_all_methods(self):
        store_connector(parsed(auth_methods=[METHOD, {**METHOD, "key": "other"}]))
        before, other = revision(), revision("other")

        store_connector(parsed(base_url="https://example.com", auth_methods=[METHOD, {**METHOD, "key": "other"}]))

        assert revision() != before
        assert revision("other") != other

    def test_the_order_of_parameters_is_a_change(self):
        body = {"a": "1", "b": "2"}
        store_connector(parsed(auth_methods=[{**METHOD, "token_request": {**METHOD["token_request"], "body": body}}]))
        body = {"b": "2", "a": "1"}

        change = store_connector(
            parsed(auth_methods=[{**METHOD, "token_request": {**METHOD["token_request"], "body": body}}])
        )

        assert str(change) == "service: changed (auth_methods.oauth: token_request.body)"
        assert list(exported()["auth_methods"][0]["token_request"]["body"]) == ["b", "a"]

    def test_a_default_that_is_stated_survives(self):
        method = {**METHOD, "variables": [{"key": "scope", "required": False}], "test_request": None, "refresh": {}}
        document = parsed(description="", variables=[], auth_methods=[method])

        store_connector(document)

        assert exported() == document.stated()
        assert exported()["auth_methods"][0]["variables"] == [{"key": "scope", "required": False}]

    def test_an_order_of_variables_made_by_hand_survives(self):
        store_connector(parsed())
        Variable.objects.filter(key="token_key").update(position=0)
        Variable.objects.exclude(key="token_key").update(position=1)
        document = definition.Connector.model_validate(exported())
        before = snapshot()

        unchanged = store_connector(document)
        Connector.objects.all().delete()
        store_connector(document)

        assert str(unchanged) == "service: unchanged"
        assert before != snapshot()
        assert list(Variable.objects.values_list("key", flat=True)) == [
            "token_key",
            *(key for key in SUPPLIED_KEYS if key != "token_key"),
        ]

    def test_a_wrong_document_is_refused_and_nothing_is_stored(self):
        with pytest.raises(DocumentRefused) as refused:
            store_connector(parsed(base_url="https://{{nobody}}.example.com"))

        assert dotted(refused.value.problems[0].path) == "base_url"
        assert not Connector.objects.exists()

    def test_a_hidden_variable_with_an_operators_value_can_be_imported_again(self):
        hidden = {"key": "partner", "required": True, "display": "hidden"}
        store_connector(parsed(auth_methods=[{**METHOD, "variables": [{**hidden, "default": "x"}]}]))
        Variable.objects.filter(key="partner").update(operator_value="typed")

        store_connector(parsed(auth_methods=[{**METHOD, "variables": [hidden]}]))

        assert Variable.objects.get(key="partner").operator_value == "typed"

    def test_a_method_that_nothing_uses_goes_with_its_document(self):
        store_connector(parsed(auth_methods=[METHOD, {**METHOD, "key": "other"}]))

        store_connector(parsed())

        assert list(AuthMethod.objects.values_list("key", flat=True)) == ["oauth"]

    def test_a_method_in_use_is_not_deleted_and_its_users_are_counted(self):
        store_connector(parsed(auth_methods=[METHOD, {**METHOD, "key": "other"}]))
        other = AuthMethod.objects.get(key="other")
        tenant = Tenant.objects.create(key="acme", name="Acme")
        for name in ("one", "two"):
            Instance.objects.create(tenant=tenant, auth_method=other, name=name)
        integration = Integration.objects.create(key="sync", name="Sync")
        Component.objects.create(integration=integration, name="a", connector=other.connector, auth_method=other)

        with pytest.raises(DocumentRefused) as refused:
            store_connector(parsed(name="Renamed"))

        assert "but 2 instances and 1 component use it" in str(refused.value)
        assert Connector.objects.get().name == "Service"

    def test_supplied_variables_can_be_added_to_a_method_made_by_hand(self):
        method = AuthMethod.objects.create(connector=Connector.objects.create(key="a", name="A"), key="b", name="B")
        Variable.objects.create(auth_method=method, key="client_id", label="App key", position=0)
        Variable.objects.create(auth_method=method, key="region", position=1)

        add_supplied_variables(method)
        add_supplied_variables(method)

        rows = list(method.variables.values_list("key", "label", "position"))
        assert [key for key, _, _ in rows] == [*SUPPLIED_KEYS, "region"]
        assert rows[2] == ("client_id", "App key", 2)
