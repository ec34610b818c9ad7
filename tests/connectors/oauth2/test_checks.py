import pytest

from connectors.oauth2.checks import check_connector
from connectors.oauth2.definition import Connector
from connectors.oauth2.problems import dotted
from tests.connectors.oauth2.found_problems import METHOD as M
from tests.connectors.oauth2.found_problems import assert_told, problems

URL = "https://a.example/t"
HIDDEN = {"display": "hidden"}


def test_a_method_with_nothing_but_an_address_is_fine():
    assert problems() == {}


@pytest.mark.parametrize(
    "parts",
    [
        {"variables": [{"key": "site", "format": "url"}], "token_request": {"url": "{{site}}/t"}},
        {"variables": [{"key": "a", "default": "{{client_id}}-{{b}}"}, {"key": "b", "default": "{{scope}}"}]},
        {"variables": [{"key": "a", "choices": ["x", "y"], "default": "x", "pattern": "[a-z]"}]},
        {"variables": [{"key": "a", "default": "{{b}}", "pattern": "[0-9]+"}, {"key": "b"}]},
        {"variables": [{"key": "a", **HIDDEN, "default_from_env": "ACME_KEY", "secret": True}]},
        {"variables": [{"key": "a", **HIDDEN, "required": False}]},
        {"variables": [{"key": "pair", **HIDDEN, "default": "{{(client_id ~ client_secret)|base64}}"}]},
        {"base_url": "https://{{shop}}.a.example", "connector_variables": [{"key": "shop"}]},
        {"base_url": "{{response.api_url}}/v1", "token_response": {"keep": ["api_url"]}},
        {"base_url": "{{response.data.url}}", "token_response": {"keep": ["data.url"]}},
        {"base_url": "https://a.example", "token_request": {"url": "{{base_url}}/t"}},
        {"test_request": {"url": "{{base_url}}/me"}, "base_url": "https://a.example"},
        {"token_request": {"method": "GET", "body_format": "none"}},
        {"token_request": {"body_format": "text", "body": "x", "client_authentication": "none"}},
        {"token_request": {"body_format": "json", "body": [{"a": [1, None]}], "client_authentication": "none"}},
        {"token_request": {"body_format": "none", "body": None}},
        {"token_request": {"body": {}}},
        {"token_response": {"access_token": "{{token_key}}.value", "error": ["a", "b.0"], "expires_in": None}},
        {"token_response": {"keep": {"site": "header:X-Site"}}},
        {"refresh": {"max_requests": "10/10 minutes", "on_body": {"error.code": [601, "602"]}}},
    ],
)
def test_finds_nothing_wrong_with(parts):
    assert problems(**parts) == {}


@pytest.mark.parametrize(
    ("path", "message", "remedy", "parts"),
    [
        # variables
        (f"{M}.variables[1].key", "there twice", "Rename|rename", {"variables": [{"key": "a"}, {"key": "a"}]}),
        (
            f"{M}.variables[0].key",
            "variable of the connector already",
            "one of the two",
            {"variables": [{"key": "a"}], "connector_variables": [{"key": "a"}]},
        ),
        (f"{M}.variables[0].key", "reserved", "base_url", {"variables": [{"key": "response"}]}),
        (f"{M}.variables[0].key", "reserved", "base_url", {"variables": [{"key": "or"}]}),
        (
            "variables[0].key",
            "belongs to the authentication methods",
            "another key",
            {"connector_variables": [{"key": "scope"}]},
        ),
        ("variables[0].key", "reserved", "Reserved are", {"connector_variables": [{"key": "access_token"}]}),
        (f"{M}.variables[0].pattern", "can't be used", "browsers", {"variables": [{"key": "a", "pattern": "[a-z-9]"}]}),
        (
            f"{M}.variables[0].choices[1]",
            "twice",
            "value of its own",
            {"variables": [{"key": "a", "choices": ["x", "x"]}]},
        ),
        (
            f"{M}.variables[0].default",
            "not a value",
            "",
            {"variables": [{"key": "a", "choices": ["x"], "default": "y"}]},
        ),
        (
            f"{M}.variables[0].default",
            "not a value",
            "",
            {"variables": [{"key": "a", "pattern": "[a-z]+", "default": "Y"}]},
        ),
        (
            f"{M}.variables[0].default",
            "not a value",
            "",
            {"variables": [{"key": "a", "format": "url", "default": "acme"}]},
        ),
        (
            f"{M}.variables[0].default",
            "secret can't have a default",
            "default_from_env",
            {"variables": [{"key": "client_secret", "default": "x"}]},
        ),
        (
            f"{M}.variables[0].default",
            "made of a secret",
            "hidden",
            {"variables": [{"key": "a", "default": "{{client_secret}}", "display": "read_only"}]},
        ),
        (
            f"{M}.variables[0].default_from_env",
            "never be used",
            "display: hidden",
            {"variables": [{"key": "a", "default_from_env": "ACME"}]},
        ),
        (
            f"{M}.variables[0].default_from_env",
            "no name",
            "",
            {"variables": [{"key": "a", **HIDDEN, "default_from_env": "1 A"}]},
        ),
        (
            f"{M}.variables[0].default_from_env",
            "own secrets",
            "variable of its own",
            {"variables": [{"key": "a", **HIDDEN, "default_from_env": "FERNET_KEYS_FILE"}]},
        ),
        (
            f"{M}.variables[0].default_from_env",
            "platform's own secrets",
            "of its own",
            {"variables": [{"key": "a", **HIDDEN, "default_from_env": "EMAIL_URL"}]},
        ),
        (
            f"{M}.variables[0].default_from_env",
            "platform's own secrets",
            "of its own",
            {"variables": [{"key": "a", **HIDDEN, "default_from_env": "METRICS_TOKEN"}]},
        ),
        (f"{M}.variables[0]", "nothing gives it a value", "default_from_env", {"variables": [{"key": "a", **HIDDEN}]}),
        (f"{M}.variables[0]", "nothing gives it a value", "operator", {"variables": [{"key": "client_id", **HIDDEN}]}),
        # addresses
        (
            f"{M}.token_request.url",
            "does not begin with https",
            "https",
            {"token_request": {"url": "auth.example.com"}},
        ),
        (
            f"{M}.token_request.url",
            "no address",
            "format: url",
            {"variables": [{"key": "site"}], "token_request": {"url": "{{site}}/t"}},
        ),
        (f"{M}.token_request.url", "can't be used", "", {"token_request": {"url": "https://a.example/../t"}}),
        (f"{M}.test_request.url", "does not begin with https", "https", {"test_request": {"url": "/me"}}),
        ("base_url", "holds a query", "api_request.query", {"base_url": "https://a.example/?x=1"}),
        # paths
        (f"{M}.token_response.access_token", "empty", "access_token", {"token_response": {"access_token": " "}}),
        (f"{M}.token_response.access_token", "JSONPath", "", {"token_response": {"access_token": "$.token"}}),
        (f"{M}.refresh.on_body.", "The path is empty", "error.code", {"refresh": {"on_body": {"": [1]}}}),
        (f"{M}.token_request.query.", "has no name", "before the colon", {"token_request": {"query": {"": "a"}}}),
        (f"{M}.token_request.body.", "has no name", "before the colon", {"token_request": {"body": {"": "a"}}}),
        (f"{M}.api_request.query.", "has no name", "before the colon", {"api_request": {"query": {"": "a"}}}),
        (f"{M}.refresh.max_requests", "is no budget", "", {"refresh": {"max_requests": "\u0665/day"}}),
        (f"{M}.token_response.keep[0]", "empty part", "", {"token_response": {"keep": ["a..b"]}}),
        (f"{M}.token_response.keep", "can't be used as", "{name: path}", {"token_response": {"keep": ["header:X-A"]}}),
        (f"{M}.refresh.on_body.$.error", "JSONPath", "", {"refresh": {"on_body": {"$.error": [1]}}}),
        # the wire
        (
            f"{M}.token_request.body_format",
            "GET request has no body",
            "body_format: none",
            {"token_request": {"method": "GET"}},
        ),
        (
            f"{M}.token_request.body",
            "body_format is none",
            "Remove",
            {"token_request": {"body_format": "none", "body": {"a": "b"}}},
        ),
        (
            f"{M}.token_request.body",
            "one string",
            "body:",
            {"token_request": {"body_format": "text", "body": {}, "client_authentication": "none"}},
        ),
        (f"{M}.token_request.body", "mapping", "scope", {"token_request": {"body": "a=b"}}),
        (f"{M}.token_request.body.a", "form's value", "json", {"token_request": {"body": {"a": {"b": "c"}}}}),
        (f"{M}.token_request.body.a", "form's value", "json", {"token_request": {"body": {"a": [["b"]]}}}),
        (f"{M}.token_request.body.{{{{a}}}}", "in a name", "", {"token_request": {"body": {"{{a}}": "b"}}}),
        (f"{M}.token_request.body", "can't be sent", "plain text", {"token_request": {"body": {"a": "\ud800"}}}),
        (f"{M}.token_request.query", "can't be sent", "plain text", {"token_request": {"query": {"a": 10**5000}}}),
        (
            f"{M}.token_request.headers.a b",
            "no name of a header",
            "hyphens",
            {"token_request": {"headers": {"a b": "c"}}},
        ),
        (
            f"{M}.token_request.headers.Host",
            "set by the connection",
            "Remove",
            {"token_request": {"headers": {"Host": "c"}}},
        ),
        (f"{M}.token_request.headers.x-a", "twice", "Remove", {"token_request": {"headers": {"X-A": "1", "x-a": "2"}}}),
        (f"{M}.token_request.headers.X-A", "line break", "one line", {"token_request": {"headers": {"X-A": "1\n2"}}}),
        (
            f"{M}.token_request.headers.Authorization",
            "there twice",
            "none",
            {"token_request": {"client_authentication": "client_secret_basic", "headers": {"authorization": "x"}}},
        ),
        (
            f"{M}.token_request.client_authentication",
            "no place",
            "none",
            {"token_request": {"body_format": "text", "body": "x"}},
        ),
        (
            f"{M}.token_request.client_authentication",
            "no place",
            "none",
            {"token_request": {"body_format": "json", "body": []}},
        ),
        (
            f"{M}.api_request.headers.Content-Length",
            "set by the connection",
            "Remove",
            {"api_request": {"headers": {"Content-Length": "1"}}},
        ),
        (f"{M}.refresh.max_requests", "no budget", "", {"refresh": {"max_requests": "often"}}),
    ],
)
def test_finds_what_is_wrong_where_it_is(path, message, remedy, parts):
    assert_told(path, message, remedy, parts)


def test_an_operator_s_value_is_a_source():
    variables = [{"key": "client_id", **HIDDEN}]

    assert problems({"m": ["client_id"]}, variables=variables) == {}
    assert problems({"other": ["client_id"]}, variables=variables) != {}
    assert problems({"": ["wide"]}, connector_variables=[{"key": "wide", **HIDDEN}]) == {}


def test_an_unused_supplied_variable_needs_no_source():
    assert problems(variables=[{"key": "scope", **HIDDEN, "required": True}], token_request={"body": {}}) == {}


def test_methods_keys_differ():
    method = {"key": "m", "name": "M", "token_request": {"url": URL}}
    connector = Connector.model_validate(
        {"kind": "connector", "key": "c", "name": "C", "auth_methods": [method, method]}
    )

    assert [dotted(found.path) for found in check_connector(connector)] == ["auth_methods[1].key"]


def test_a_problem_of_the_connector_is_told_once():
    method = {"key": "m", "name": "M", "token_request": {"url": URL}}
    connector = Connector.model_validate(
        {
            "kind": "connector",
            "key": "c",
            "name": "C",
            "base_url": "nonsense",
            "auth_methods": [method, {**method, "key": "n"}],
        }
    )

    assert [dotted(found.path) for found in check_connector(connector)] == ["base_url"]


def test_a_connector_without_methods_is_checked_too():
    stated = {"kind": "connector", "key": "c", "name": "C"}

    assert check_connector(Connector.model_validate({**stated, "base_url": "{{response.site}}/x"})) == []
    assert [
        dotted(found.path)
        for found in check_connector(
            Connector.model_validate({**stated, "base_url": "{{sit}}", "documentation_url": "javascript:x"})
        )
    ] == ["documentation_url", "base_url"]
