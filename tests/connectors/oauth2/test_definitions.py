import json

import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.oauth2.budgets import BudgetError, parse_budget
from connectors.oauth2.definition import AuthMethod, Connector, Document, Variable
from tests.connectors.oauth2.definitions import connector_of

METHOD = {"key": "m", "name": "M", "token_request": {"url": "https://a.example/t"}}


def refused(section, stated):
    with pytest.raises(ValidationError) as error:
        section.model_validate(stated)
    return [detail["loc"] for detail in error.value.errors()]


def test_says_again_what_was_said_and_nothing_else():
    stated = {
        "kind": "connector",
        "key": "c",
        "name": "C",
        "description": "",
        "auth_methods": [
            {
                **METHOD,
                "variables": [
                    {"key": "scope", "required": False},
                    {"key": "a", "choices": ["x", {"value": "y", "label": "Y"}]},
                ],
                "token_request": {
                    "url": "https://a.example/t",
                    "query": {"a": [1, 2.5, True, None, "x"]},
                    "headers": None,
                    "body_format": "json",
                    "body": {"b": [1, {"c": None}], "a": True},
                },
                "token_response": {
                    "keep": {"b": "x", "a": "y"},
                    "errors": {"retry": [1, "1"]},
                    "default_lifetime": None,
                },
                "refresh": {"on_body": {"code": [601, "602", None, True]}},
                "test_request": None,
            }
        ],
    }

    again = Connector.model_validate(stated).stated()

    assert again == stated
    assert json.dumps(again["auth_methods"][0]["token_request"]["body"]) == '{"b": [1, {"c": null}], "a": true}'


def test_what_silence_means():
    method = AuthMethod.model_validate(METHOD)

    assert method.type == "oauth2_client_credentials"
    assert (method.token_request.method, method.token_request.body_format) == ("POST", "form")
    assert method.token_request.client_authentication == "client_secret_post"
    assert method.token_request.parameters == {"grant_type": "{{grant_type}}", "scope": "{{scope}}"}
    assert method.token_response.access_token == "{{token_key}}"
    assert (method.token_response.token_type, method.token_response.expires_in) == ("token_type", "expires_in")
    assert (method.token_response.error, method.token_response.error_description) == ("error", "error_description")
    assert method.api_request.headers == {"Authorization": "Bearer {{access_token}}"}
    assert method.refresh.on_status == [401]


@pytest.mark.parametrize("body_format", ["none", "text"])
def test_no_body_is_supplied_to_what_is_no_form_of_parameters(body_format):
    connector = connector_of(token_request={"body_format": body_format})

    assert connector.auth_methods[0].token_request.parameters is None


@pytest.mark.parametrize(
    ("stated", "path"),
    [
        ({**METHOD, "steps": [{"key": "a", "url": "x"}] * 4}, ("steps",)),
        ({**METHOD, "steps": [{"key": "a", "url": "x", "kep": {}}]}, ("steps", 0, "kep")),
        ({**METHOD, "token_request": {"url": "x", "assertions": {}}}, ("token_request", "assertions")),
        (
            {**METHOD, "token_request": {"url": "x", "tls": {"certificate": "x"}}},
            ("token_request", "tls", "private_key"),
        ),
        (
            {**METHOD, "token_request": {"url": "x", "tls": {"certificate": "", "private_key": "", "ca": ""}}},
            ("token_request", "tls", "ca"),
        ),
        ({**METHOD, "token_request": {"url": "x", "dpop": "yes"}}, ("token_request", "dpop")),
        (
            {**METHOD, "token_request": {"url": "x", "client_authentication": "mtls"}},
            ("token_request", "client_authentication"),
        ),
        ({**METHOD, "token_request": {}}, ("token_request", "url")),
        ({**METHOD, "token_request": {"url": "x", "methd": "GET"}}, ("token_request", "methd")),
        ({**METHOD, "token_request": {"url": "x", "method": "get"}}, ("token_request", "method")),
        ({**METHOD, "refresh": {"early": "300"}}, ("refresh", "early")),
        ({**METHOD, "refresh": {"early": -1}}, ("refresh", "early")),
        ({**METHOD, "refresh": {"early": True}}, ("refresh", "early")),
        ({**METHOD, "refresh": {"on_status": [99]}}, ("refresh", "on_status", 0)),
        ({**METHOD, "token_response": {"default_lifetime": 0}}, ("token_response", "default_lifetime")),
        ({**METHOD, "token_response": {"access_token": None}}, ("token_response", "access_token")),
        ({**METHOD, "variables": [{"key": "a b"}]}, ("variables", 0, "key")),
        ({**METHOD, "variables": [{"key": "a.b"}]}, ("variables", 0, "key")),
        ({**METHOD, "variables": [{"key": "a", "required": "yes"}]}, ("variables", 0, "required")),
        ({**METHOD, "variables": [{"key": "a", "default": 5}]}, ("variables", 0, "default")),
        ({**METHOD, "variables": [{"key": "a", "display": "shown"}]}, ("variables", 0, "display")),
        ({**METHOD, "variables": {"a": {}}}, ("variables",)),
        ({**METHOD, "key": "-m"}, ("key",)),
        ({**METHOD, "key": "m\n"}, ("key",)),
        ({**METHOD, "name": ""}, ("name",)),
        ({**METHOD, "type": "oauth2_code"}, ("type",)),
    ],
)
def test_unknown_keys_and_wrong_types_are_refused_where_they_are(stated, path):
    assert path in refused(AuthMethod, stated)


def test_infinity_is_nothing_to_send():
    assert refused(AuthMethod, {**METHOD, "token_request": {"url": "x", "body": {"a": float("inf")}}})


def test_a_variable_without_label_is_named_for_its_key():
    assert Variable(key="account_id").title == "Account id"
    assert Variable(key="account_id", label="Account ID").title == "Account ID"


def test_the_schema_describes_both_kinds():
    schema = TypeAdapter(Document).json_schema()

    assert {"Connector", "Integration", "Variable", "TokenRequest"} <= set(schema["$defs"])
    assert schema["$defs"]["Variable"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "requests", "seconds"),
    [
        ("5/day", 5, 86400),
        ("2/hour", 2, 3600),
        ("100 / hours", 100, 3600),
        ("10/10 minutes", 10, 600),
        ("1/30seconds", 1, 30),
    ],
)
def test_reads_mint_budgets(text, requests, seconds):
    budget = parse_budget(text)

    assert (budget.requests, budget.period.total_seconds()) == (requests, seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "0/day", "-1/day", "5/0 days", "5/year", "five/day", "5/day\n5", "1.5/day", "9" * 20 + "/day"]
)
def test_refuses_other_budgets_with_an_example(text):
    with pytest.raises(BudgetError, match="5/day"):
        parse_budget(text)
