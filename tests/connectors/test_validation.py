"""What is wrong with a document's shape, in words of ours."""

from typing import Any

import pytest

from connectors.oauth2.definition import Connector, Integration
from connectors.oauth2.problems import dotted
from connectors.validation import validated


def complaints(**changes: Any) -> list[str]:
    """What is said of a connector with one method, whose parts `changes` replaces."""
    method = {"key": "a", "name": "A", "token_request": {"url": "https://example.com"}, **changes}
    _, problems = validated(Connector, {"kind": "connector", "key": "a", "name": "A", "auth_methods": [method]})
    return [f"{dotted(problem.path).removeprefix('auth_methods[0].')} {problem}" for problem in problems]


def variable(**changes: Any) -> dict[str, Any]:
    return {"variables": [{"key": "a", **changes}]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": 3600}, 'name 3600 is a number. Write "3600" in quotes.'),
        ({"name": True}, 'name true is a truth value. Write "true" in quotes, or another text.'),
        (
            {"name": None},
            'name There is no value here; a text is expected. Write "" for an empty text, or remove the key.',
        ),
        ({"name": ""}, "name This is empty. Write a text."),
        ({"name": "x" * 201}, "name This is longer than 200 characters. Shorten it."),
        ({"name": " \n"}, "name This is empty. Write a text."),
        ({"name": ["x"]}, "name This is a list, but a text is expected. Write one text."),
        ({"key": "a b"}, "key “a b” can't be a key. Use letters, digits, hyphens and underscores; begin and end with"),
        (variable(required="no"), "variables[0].required “no” is a text. Write true or false, without quotes."),
        (variable(required=1), "variables[0].required This is a number, but true or false is expected."),
        (
            variable(key="1a"),
            "variables[0].key “1a” can't be a key. Use letters, digits, hyphens and underscores; begin with",
        ),
        (
            variable(display="hiden"),
            "variables[0].display “hiden” can't stand here. Did you mean hidden? Write one of:",
        ),
        (variable(display=None), "variables[0].display There is no value here. Write one of: editable, advanced,"),
        (variable(display=True), "variables[0].display A truth value can't stand here. Write one of: editable,"),
        (variable(display=["hidden"]), "variables[0].display A list can't stand here. Write one of: editable,"),
        (variable(display="HIDDEN"), "variables[0].display “HIDDEN” can't stand here. Did you mean hidden?"),
        (variable(choices=["a", 3]), 'variables[0].choices[1] 3 is a number. Write "3" in quotes.'),
        (
            variable(choices=[{"value": 1, "label": "x"}]),
            'variables[0].choices[0].value 1 is a number. Write "1" in quotes.',
        ),
        (
            variable(choices=[{"value": "a"}]),
            "variables[0].choices[0].label The key `label` is missing. Add `label: …`.",
        ),
        ({"variables": {}}, "variables This is a mapping, but a list is expected. Write it as [one, two], or"),
        ({"token_request": []}, "token_request This is a list, but a mapping is expected. Write it as {key: value}"),
        (
            {"token_request": {"url": "a", "query": {"a": {"b": 1}}}},
            "token_request.query.a This is a mapping, but a text, a number, true or false or a list is expected.",
        ),
        ({"token_response": {"keep": {"a": 1}}}, 'token_response.keep.a 1 is a number. Write "1" in quotes.'),
        (
            {"token_response": {"default_lifetime": 0}},
            "token_response.default_lifetime 0 is out of range. Write a number",
        ),
        ({"refresh": {"on_status": ["401"]}}, "refresh.on_status[0] “401” is a text. Write 401 without quotes."),
        (
            {"refresh": {"early": 1.5}},
            "refresh.early This is a number, but a whole number is expected. Write digits alone, such as 300.",
        ),
        (
            {"refresh": {"max_requests": 5}},
            "refresh.max_requests 5 is a number. Write how many in which time, such as 5/day or 100/hour.",
        ),
        (
            {"refresh": {"eraly": 1}},
            "refresh.eraly Unknown key `eraly`. Did you mean early? Keys here: early, on_status,",
        ),
        (
            {"token_request": {"url": "a", "assertion": {"ass": "grant"}}},
            "token_request.assertion.ass Unknown key `ass`. Did you mean as? Keys here: algorithm, key, key_id,",
        ),
        (
            {"base_url": "a"},
            "base_url Unknown key `base_url`. It belongs to the connector, beside `auth_methods`. Keys",
        ),
        ({"client_authentication": "none"}, "client_authentication Unknown key `client_authentication`. It belongs to"),
        (
            {"token_request": {"url": "a", "expires_in": "a"}},
            "token_request.expires_in Unknown key `expires_in`. It belongs to `token_response`. Keys here: method,",
        ),
        ({"headers": {}}, "headers Unknown key `headers`. Keys here: key, name,"),
        (
            {"token_request": {"url": "a", "assertion": {"as": "grnt"}}},
            "token_request.assertion.as “grnt” can't stand here.",
        ),
        (
            {"token_request": {"url": "a", "assertion": {"claims": {"a": {1: 2}}}}},
            "token_request.assertion.claims.a",
        ),
    ],
)
def test_a_wrong_value_is_told_once_and_with_what_to_write(changes, expected):
    (complaint,) = complaints(**changes)

    assert complaint.startswith(expected)


def test_everything_that_is_wrong_is_told():
    assert len(complaints(name=1, typ="x", instructions=None, refresh={"early": -1})) == 4


def test_names_of_components_are_keys():
    data = {"kind": "integration", "key": "a", "name": "A", "components": {"a b": {"connector": "x"}, "c": {}}}

    _, problems = validated(Integration, data)

    assert [dotted(problem.path) for problem in problems] == ["components.a b", "components.c.connector"]


def test_numbers_are_told_as_they_are_written():
    data = {"kind": "connector", "key": "a", "name": 0.5}

    _, (problem,) = validated(Connector, data, written=lambda path: "0.50")

    assert str(problem) == '0.50 is a number. Write "0.50" in quotes.'
