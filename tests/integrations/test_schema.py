"""The JSON Schema of the format, held against what the checks say."""

import copy
from typing import Any

import jsonschema_rs
import pytest

from connectors.oauth2.checks import check_connector
from connectors.oauth2.definition import Connector
from connectors.ready_made import entry, keys
from connectors.validation import validated
from integrations.schema import json_schema
from tests.connectors.admin.conftest import DOCUMENT

SCHEMA = jsonschema_rs.validator_for(json_schema())
URL = "https://auth.example.com/token"


def connector(**changes: Any) -> dict[str, Any]:
    method = {"key": "a", "name": "A", "token_request": {"url": URL}, **changes}
    return {"kind": "connector", "key": "a", "name": "A", "auth_methods": [method]}


def request(**changes: Any) -> dict[str, Any]:
    return connector(token_request={"url": URL, **changes})


def variable(**changes: Any) -> dict[str, Any]:
    return connector(variables=[{"key": "a", **changes}])


def is_accepted(document: dict[str, Any]) -> bool:
    read, problems = validated(Connector, copy.deepcopy(document))
    return read is not None and not problems and not check_connector(read)


def test_is_a_schema():
    jsonschema_rs.meta.validate(json_schema())


@pytest.mark.parametrize("key", keys())
def test_takes_every_entry_of_the_catalogue(key):
    assert SCHEMA.is_valid(entry(key).stated())


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT,
        connector(),
        connector(refresh={"max_requests": " 10 / 10minutes "}),
        connector(refresh={"max_requests": None}),
        connector(token_response={"keep": {"a": ""}, "expires_in": None}),
        request(method="GET", body_format="none", body={}),
        request(method="GET", body_format="none", body=None),
        request(body_format="json", body={"": {"a": [None, {"b": 1.5}]}}),
        request(body_format="json", client_authentication="none", body="text"),
        request(body_format="text", client_authentication="none", body=""),
        request(body={"a": [1, "x", True, None], "b": 1.5, "c": None}),
        request(body=None),
        variable(secret=True, default=""),
        variable(display="hidden", default_from_env="A_1", secret=True),
        variable(default_from_env=""),
        variable(choices=["a", {"value": "b", "label": "a"}]),
        {**connector(), "documentation_url": "HTTP://example.com/#a"},
        {**connector(), "documentation_url": ""},
    ],
)
def test_takes_what_the_checks_take(document):
    assert is_accepted(document)
    assert list(SCHEMA.iter_errors(document)) == []


@pytest.mark.parametrize(
    "document",
    [
        {**connector(), "name": "  "},
        {**connector(), "documentation_url": "example.com"},
        connector(refresh={"max_requests": "5/fortnight"}),
        connector(refresh={"max_requests": "5"}),
        connector(refresh={"on_body": {"": [1]}}),
        connector(token_response={"access_token": " "}),
        connector(test_request={"url": ""}),
        connector(api_request={"query": {"": "a"}}),
        connector(steps=[{"key": "response", "url": URL}]),
        connector(steps=[{"key": f"a{n}", "url": URL} for n in range(4)]),
        connector(steps=[{"key": "a", "url": URL, "method": "GET"}]),
        request(method="GET"),
        request(method="GET", body_format="form"),
        request(body="text"),
        request(body={"a": {"b": "c"}}),
        request(body={"a": [["b"]]}),
        request(body={"": "a"}),
        request(body_format="text", client_authentication="none"),
        request(body_format="text", client_authentication="none", body={"a": "b"}),
        request(body_format="none", body={"a": "b"}),
        request(tls={"certificate": "", "private_key": "{{client_secret}}"}),
        variable(key="base_url"),
        variable(secret=True, default="x"),
        variable(default_from_env="A"),
        variable(default_from_env="A", display="advanced"),
        variable(default_from_env="A B", display="hidden"),
        variable(choices=["a", "a"]),
    ],
)
def test_refuses_what_the_checks_refuse(document):
    assert not is_accepted(document)
    assert not SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    ("changes", "is_valid"),
    [
        ({"allowed_redirects": ["https://a.example/", "http://localhost:3000/b"]}, True),
        ({"allowed_redirects": ["https://a.example"]}, False),
        ({"allowed_redirects": ["a.example/"]}, False),
        ({"allowed_origins": ["https://a.example", "http://[::1]:3000"]}, True),
        ({"allowed_origins": ["https://a.example/"]}, False),
        ({"components": {"a b": {"connector": "a"}}}, False),
    ],
)
def test_integrations_are_held_to_the_same(changes, is_valid):
    assert SCHEMA.is_valid({"kind": "integration", "key": "a", "name": "A", **changes}) == is_valid
