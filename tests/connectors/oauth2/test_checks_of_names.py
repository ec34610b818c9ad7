"""Names in templates, and the circles that they make: each problem is told where it is."""

import pytest

from connectors.oauth2.problems import did_you_mean
from tests.connectors.oauth2.found_problems import METHOD as M
from tests.connectors.oauth2.found_problems import assert_told


@pytest.mark.parametrize(
    ("path", "message", "remedy", "parts"),
    [
        # placeholders
        (
            f"{M}.token_request.url",
            "{{tenat}} names nothing",
            "client_id",
            {"token_request": {"url": "https://a.example/{{tenat}}"}},
        ),
        (
            f"{M}.token_request.query.q",
            "{{scop}} names nothing",
            "Did you mean scope",
            {"token_request": {"query": {"q": "{{scop}}"}}},
        ),
        (
            f"{M}.token_request.headers.X-A",
            "{{x}} names nothing",
            "exist",
            {"token_request": {"headers": {"X-A": "{{x}}"}}},
        ),
        (
            f"{M}.token_request.body.a[1]",
            "{{x}} names nothing",
            "exist",
            {"token_request": {"body": {"a": ["b", "{{x}}"]}}},
        ),
        (
            f"{M}.token_request.body.a.b[0]",
            "{{x}} names nothing",
            "exist",
            {"token_request": {"body_format": "json", "body": {"a": {"b": ["{{x}}"]}}}},
        ),
        (f"{M}.token_request.body.a", "can't be read", "Write", {"token_request": {"body": {"a": "{{a b}}"}}}),
        (
            f"{M}.token_request.body.a",
            "{{access_token}} names nothing",
            "Only the answer brings it: `base_url`, `api_request` and `test_request` come late enough",
            {"token_request": {"body": {"a": "{{access_token}}"}}},
        ),
        (
            f"{M}.token_request.body.a",
            "{{response.x}} names nothing",
            "Only the answer brings it",
            {"token_request": {"body": {"a": "{{response.x}}"}}, "token_response": {"keep": ["x"]}},
        ),
        (
            f"{M}.token_response.access_token",
            "{{x}} names nothing",
            "exist",
            {"token_response": {"access_token": "{{x}}"}},
        ),
        (f"{M}.token_response.keep.a", "{{x}} names nothing", "exist", {"token_response": {"keep": {"a": "{{x}}"}}}),
        (
            f"{M}.api_request.headers.A",
            "{{response.x}} names nothing",
            "write keep: [x] into `token_response`",
            {"api_request": {"headers": {"A": "{{response.x}}"}}},
        ),
        (
            f"{M}.api_request.headers.A",
            "{{response.apiurl}} names nothing",
            "Did you mean response.api_url",
            {"api_request": {"headers": {"A": "{{response.apiurl}}"}}, "token_response": {"keep": ["api_url"]}},
        ),
        (
            f"{M}.test_request.url",
            "{{base_url}} names nothing",
            "The connector has no `base_url`: give it one",
            {"test_request": {"url": "https://a.example/{{base_url}}"}},
        ),
        (
            f"{M}.variables[0].default",
            "{{x}} names nothing",
            "exist",
            {"variables": [{"key": "a", "default": "{{x}}"}]},
        ),
        (f"{M}.variables[0].default", "can't be read", "Write", {"variables": [{"key": "a", "default": "{{"}]}),
        (
            f"{M}.variables[0].default",
            "{{base_url}} names nothing",
            "exist",
            {"variables": [{"key": "a", "default": "{{base_url}}"}], "base_url": "https://a.example/t"},
        ),
        (
            f"{M}.token_request.query.q",
            "{{base_url}} names nothing",
            "The connector has no `base_url`: give it one",
            {"token_request": {"query": {"q": "{{base_url}}"}}},
        ),
        (
            "base_url",
            "{{client_id}} names nothing",
            "give the connector a variable of its own, with another key",
            {"base_url": "https://{{client_id}}.example"},
        ),
        (
            "base_url",
            "{{access_token}} names nothing",
            "The token goes into `api_request`",
            {"base_url": "https://a.example/{{access_token}}"},
        ),
        (
            "base_url",
            "{{shop}} names nothing",
            "connector's own",
            {"base_url": "https://{{shop}}.example", "variables": [{"key": "shop"}]},
        ),
        (
            "base_url",
            "{{response.x}} names nothing",
            "Every method must keep it: write keep: [x] into the `token_response` of",
            {"base_url": "{{response.x}}"},
        ),
        ("base_url", "{{base_url}} names nothing", "", {"base_url": "{{base_url}}/x"}),
        (
            "variables[0].default",
            "{{client_id}} names nothing",
            "",
            {"connector_variables": [{"key": "a", "default": "{{client_id}}"}]},
        ),
        # circles
        (
            f"{M}.variables[1].default",
            "leads back to itself",
            "plain text",
            {"variables": [{"key": "a", "default": "{{b}}"}, {"key": "b", "default": "{{a}}"}]},
        ),
        (
            f"{M}.variables[0].default",
            "leads back to itself",
            "plain text",
            {"variables": [{"key": "a", "default": "{{a}}"}]},
        ),
        (
            f"{M}.token_request.url",
            "{{base_url}} names nothing",
            "known only when later answers are there: write the address out",
            {
                "base_url": "{{response.u}}",
                "token_response": {"keep": ["u"]},
                "token_request": {"url": "{{base_url}}/t"},
            },
        ),
    ],
)
def test_finds_what_is_wrong_where_it_is(path, message, remedy, parts):
    assert_told(path, message, remedy, parts)


def test_suggests_the_likeliest_name_first():
    assert did_you_mean("acount_id", ["client_id", "account_id"]).startswith("Did you mean account_id?")
    assert did_you_mean("x", []) == "There are none here."
