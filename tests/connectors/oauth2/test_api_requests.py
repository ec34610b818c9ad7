from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.oauth2.errors import ResponseNotUnderstood
from connectors.oauth2.request import api_signature, make_test_request
from connectors.oauth2.response import TokenGrant
from tests.connectors.oauth2.definitions import NOW, given, method_of, rendering

GRANT = TokenGrant(
    access_token="tok", token_type="bearer", expires_at=NOW + timedelta(hours=1), kept={"api_url": ""}, issued_at=NOW
)


def signature(grant=GRANT, values=None, **parts):
    method = method_of(**parts)
    return api_signature(method, given(method, **values or {}), grant)


def test_signs_as_bearer_where_nothing_is_said():
    signed = signature()

    assert (signed.headers, signed.query, signed.base_url) == ({"Authorization": "Bearer tok"}, (), "")


def test_signs_as_the_definition_says():
    signed = signature(
        api_request={
            "headers": {"X-Token": "{{access_token}}", "X-Until": "{{expires_at}}", "X-Id": "{{client_id}}"},
            "query": {"key": "{{token_type}}", "none": "{{response.api_url}}"},
        }
    )

    assert signed.headers == {"X-Token": "tok", "X-Until": "2026-03-05T15:07:09Z", "X-Id": "the-id"}
    assert signed.query == (("key", "bearer"),)


def test_the_base_url_may_come_with_the_token():
    parts = {"base_url": "{{response.api_url}}/v2", "token_response": {"keep": ["api_url"]}}
    grant = replace(GRANT, kept={"api_url": "https://eu.example/"})

    assert signature(grant, **parts).base_url == "https://eu.example/v2"


def test_the_base_url_has_no_trailing_slash():
    assert signature(base_url="https://api.example.com/v2/").base_url == "https://api.example.com/v2"


def test_an_answer_without_the_base_url_is_malformed():
    with pytest.raises(ResponseNotUnderstood):
        signature(base_url="{{response.api_url}}", token_response={"keep": ["api_url"]})


def test_a_kept_field_forges_no_header():
    grant = replace(GRANT, kept={"api_url": "a\r\nX-Evil: 1"})

    with pytest.raises(ResponseNotUnderstood):
        signature(
            grant, api_request={"headers": {"X-Url": "{{response.api_url}}"}}, token_response={"keep": ["api_url"]}
        )


def test_makes_the_test_request():
    method = method_of(
        base_url="https://api.example.com/v2",
        api_request={"headers": {"Authorization": "Bearer {{access_token}}"}, "query": {"v": 1}},
        test_request={"url": "{{base_url}}/me?x=y"},
    )

    request = make_test_request(method, given(method), GRANT)

    assert request is not None
    assert (request.method, request.url, request.body) == ("GET", "https://api.example.com/v2/me?x=y&v=1", None)
    assert request.headers.get("Authorization") == "Bearer tok"


def test_makes_none_where_none_is_defined():
    method = method_of()

    assert make_test_request(method, given(method), GRANT) is None


@pytest.mark.parametrize(
    "place",
    [
        {"api_request": {"headers": {"X-Id": "{{client_id}}"}}},
        {"api_request": {"query": {"key": ["{{client_id}}"]}}},
        {"api_request": {"query": {"key": "{{own}}"}}, "variables": [{"key": "own", "default": "a-{{client_id}}"}]},
        {"base_url": "https://{{client_id}}.example.com"},
        {"base_url": "{{response.api_url}}/{{client_id}}", "token_response": {"keep": ["api_url"]}},
        {"token_request": {"tls": {"certificate": "{{client_id}}", "private_key": "k"}}},
        {"token_request": {"tls": {"certificate": "c", "private_key": "{{client_id}}"}}},
    ],
)
def test_where_a_value_has_a_say_in_it_the_token_alone_does_not_sign(place):
    assert not method_of(**place).signs_by_token_alone


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"base_url": "https://api.example.com/v1/"},
        {"base_url": "{{response.api_url}}", "token_response": {"keep": ["api_url"]}},
        {"api_request": {"headers": {"X-Token": '{{access_token or "none"}}', "X-Until": "{{expires_at}}"}}},
        {"api_request": {"query": {"at": '{{now("%Y")}}', "id": "{{uuid()}}", "type": "{{token_type}}"}}},
        {"base_url": "https://api.example.com/v1", "test_request": {"method": "GET", "url": "{{base_url}}/me"}},
    ],
)
def test_a_token_that_signs_alone_signs_without_any_value_as_with_them(place):
    method = method_of(**place)
    grant = replace(GRANT, kept={"api_url": "https://eu.example/"})

    assert method.signs_by_token_alone
    assert api_signature(method, rendering(), grant) == api_signature(method, given(method), grant)
