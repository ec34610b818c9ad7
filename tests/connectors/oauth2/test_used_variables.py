import pytest

from connectors.oauth2.definition import SUPPLIED_VARIABLES
from tests.connectors.oauth2.definitions import method_of


def asked(**parts):
    return [variable.key for variable in method_of(**parts).asked]


def test_the_type_supplies_what_the_contract_s_table_says():
    table = [(v.key, v.label, v.default, v.required, v.secret, v.display) for v in SUPPLIED_VARIABLES]

    assert table == [
        ("scope", "Scope", "", False, False, "editable"),
        ("grant_type", "Grant type", "client_credentials", True, False, "advanced"),
        ("client_id", "Client ID", "", True, False, "editable"),
        ("client_secret", "Client secret", "", True, True, "editable"),
        ("token_key", "Response authentication token key", "access_token", True, False, "advanced"),
    ]


def test_all_five_are_asked_for_where_nothing_is_said():
    assert asked() == ["scope", "grant_type", "client_id", "client_secret", "token_key"]


def test_a_body_of_its_own_leaves_out_scope_and_grant_type():
    assert asked(token_request={"body": {"a": "b"}}) == ["client_id", "client_secret", "token_key"]


def test_a_path_of_its_own_leaves_out_the_token_key():
    assert "token_key" not in asked(token_response={"access_token": "data.token"})


def test_no_client_authentication_leaves_out_id_and_secret():
    assert asked(token_request={"client_authentication": "none"}) == ["scope", "grant_type", "token_key"]


@pytest.mark.parametrize(
    "request_",
    [
        {"body": {"client_id": "ours", "client_secret": None}},
        {"body_format": "json", "body": {"client_id": "ours", "client_secret": None}},
        {"body_format": "none", "query": {"client_id": "ours", "client_secret": None}},
        {"body_format": "none", "url": "https://a.example/t?client_id=ours&client_secret="},
    ],
)
def test_what_the_document_states_itself_is_not_asked_for(request_):
    assert asked(token_request=request_) == ["token_key"]


def test_the_header_needs_id_and_secret_whatever_the_body_states():
    request = {"client_authentication": "client_secret_basic", "body": {"client_id": "ours"}}

    assert asked(token_request=request) == ["client_id", "client_secret", "token_key"]


def test_a_get_request_has_no_body_to_use_them():
    request = {
        "method": "GET",
        "body_format": "none",
        "query": {"appid": "{{client_id}}"},
        "client_authentication": "none",
    }

    assert asked(token_request=request) == ["client_id", "token_key"]


def test_each_place_of_a_template_counts():
    for place in (
        {"base_url": "https://a.example/{{client_id}}"},
        {"token_request": {"url": "https://a.example/{{client_id}}"}},
        {"token_request": {"headers": {"X-Id": "{{client_id}}"}}},
        {"token_request": {"body_format": "json", "body": [{"x": ["{{client_id}}"]}]}},
        {"token_response": {"error": ["{{client_id}}"]}},
        {"token_response": {"keep": {"x": "{{client_id}}"}}},
        {"api_request": {"query": {"key": ["{{client_id}}"]}}},
        {"test_request": {"url": "https://a.example/{{client_id}}"}},
        {"variables": [{"key": "own", "default": "{{client_id}}"}]},
    ):
        request = {"client_authentication": "none", **place.pop("token_request", {})}

        assert "client_id" in asked(token_request=request, **place), place


def test_a_default_counts_only_where_its_variable_does():
    variables = [{"key": "scope", "default": "{{client_id}}"}]
    without = {"client_authentication": "none", "body": {}}

    assert asked(variables=variables, token_request=without) == ["token_key"]
    assert "client_id" in asked(variables=variables, token_request={"client_authentication": "none"})


def test_own_variables_are_always_asked_for():
    assert "unused" in asked(variables=[{"key": "unused"}], connector_variables=[{"key": "wide"}])
    assert "wide" in asked(connector_variables=[{"key": "wide"}])


def test_a_changed_variable_keeps_what_is_not_named():
    method = method_of(variables=[{"key": "client_secret", "label": "API key"}, {"key": "grant_type", "default": "x"}])

    assert method.by_key["client_secret"].secret
    assert method.by_key["client_secret"].label == "API key"
    assert method.by_key["grant_type"].display == "advanced"
    assert method.by_key["grant_type"].label == "Grant type"
