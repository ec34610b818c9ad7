"""Saving a page changes what was changed on it, and nothing else of the exported document."""

import pytest

from connectors.models import AuthMethod
from tests.connectors.admin.conftest import DOCUMENT
from tests.connectors.client_pki import self_signed

CERTIFICATE = self_signed().pem


def test_saving_a_method_without_a_change_leaves_the_document_alone(page, method, exported):
    response = page.save(method)

    assert response.status_code == 302
    assert exported("zoom") == DOCUMENT


def test_saving_a_connector_without_a_change_leaves_the_document_alone(page, zoom, exported):
    response = page.save(zoom)

    assert response.status_code == 302
    assert exported("zoom") == DOCUMENT


def test_saving_a_method_that_states_nothing_states_nothing(page, plain, exported):
    before = exported("plain")

    page.save(plain)

    assert exported("plain") == before
    assert AuthMethod.objects.get(pk=plain.pk).token_request == {"url": "https://auth.example.com/token"}


@pytest.mark.parametrize(
    ("changes", "section", "expected"),
    [
        ({"token_url": "https://other.example.com/t"}, "token_request", {"url": "https://other.example.com/t"}),
        (
            {"client_authentication": "client_secret_basic"},
            "token_request",
            {"client_authentication": "client_secret_basic"},
        ),
        (
            {"client_authentication": "client_secret_jwt", "assertion": '{"claims": {"n": [1, null]}}'},
            "token_request",
            {"client_authentication": "client_secret_jwt", "assertion": {"claims": {"n": [1, None]}}},
        ),
        (
            {"tls_certificate": CERTIFICATE.replace("\n", "\r\n"), "tls_private_key": "{{client_secret}}"},
            "token_request",
            {"tls": {"certificate": CERTIFICATE.strip(), "private_key": "{{client_secret}}"}},
        ),
        ({"dpop": "on"}, "token_request", {"dpop": True}),
        ({"early": "60"}, "refresh", {"early": 60}),
        ({"on_status": "401, 403"}, "refresh", {"on_status": [401, 403]}),
        ({"retry_codes": "busy\r\nlater"}, "token_response", {"errors": {"retry": ["busy", "later"]}}),
        ({"test_url": "https://api.example.com/me"}, "test_request", {"url": "https://api.example.com/me"}),
        ({"keep-9-name": "host", "keep-9-value": "meta.host"}, "token_response", {"keep": {"host": "meta.host"}}),
        ({"keep-9-name": "api_url"}, "token_response", {"keep": ["api_url"]}),
        ({"on_body-9-name": "ok", "on_body-9-value": "false"}, "refresh", {"on_body": {"ok": [False]}}),
        ({"query-9-name": "v", "query-9-value": "2"}, "token_request", {"query": {"v": "2"}}),
        ({"headers-9-name": "X-A", "headers-9-value": "b"}, "token_request", {"headers": {"X-A": "b"}}),
        ({"headers-0-value": "application/json"}, "token_request", {"headers": {"Content-Type": "application/json"}}),
        ({"body_format": "json"}, "token_request", {"body_format": "json"}),
        (
            {"api_headers-0-value": "Token {{access_token}}"},
            "api_request",
            {"headers": {"Authorization": "Token {{access_token}}"}},
        ),
    ],
)
def test_states_what_was_changed_and_no_more(page, plain, exported, changes, section, expected):
    before = exported("plain")["auth_methods"][0]

    response = page.save(plain, changes)

    assert response.status_code == 302, response.context["errors"]
    after = exported("plain")["auth_methods"][0]
    assert after == {**before, section: {**before.get(section, {}), **expected}}


def test_keeps_the_types_of_parameters_that_were_left_alone(page, method, exported):
    page.save(method, {"query-0-value": "changed"})

    query = exported("zoom")["auth_methods"][0]["token_request"]["query"]
    assert query == {"a": ["changed", "2"], "n": 1, "b": True, "gone": None}


def test_states_null_for_a_content_type_that_was_removed(page, plain):
    page.save(plain, {"headers-0-name": None, "headers-0-value": None})

    plain.refresh_from_db()
    assert plain.token_request["headers"] == {"Content-Type": None}


def test_takes_away_what_the_type_supplies(page, plain):
    page.save(plain, {"body-1-off": "on"})

    plain.refresh_from_db()
    assert plain.token_request["body"] == {"grant_type": "{{grant_type}}", "scope": None}


def test_a_nested_body_is_edited_as_json(page, plain):
    page.save(plain, {"body_format": "json", "body_text": '{"auth": {"id": "{{client_id}}", "n": 1}}'})

    plain.refresh_from_db()
    assert plain.token_request["body"] == {"auth": {"id": "{{client_id}}", "n": 1}}
    assert '"n": 1' in page.fields(plain)["body_text"]


def test_no_body_states_none(page, plain):
    page.save(plain, {"request_method": "GET", "body_format": "none"})

    plain.refresh_from_db()
    assert plain.token_request == {"method": "GET", "url": "https://auth.example.com/token", "body_format": "none"}


def test_the_header_that_goes_with_bound_tokens_is_shown_and_stays_unsaid(page, plain):
    page.save(plain, {"dpop": "on"})
    shown = page.fields(plain)
    page.save(plain, {"early": "60"})

    plain.refresh_from_db()
    assert shown["api_headers-0-value"] == "DPoP {{access_token}}"
    assert plain.api_request is None


def test_another_header_of_bound_tokens_is_stated(page, plain):
    page.save(plain, {"dpop": "on"})
    page.save(plain, {"api_headers-0-value": "Bearer {{access_token}}"})

    plain.refresh_from_db()
    assert plain.api_request == {"headers": {"Authorization": "Bearer {{access_token}}"}}


STEPS = """\
- url: https://auth.example.com/login
  key: login
  keep:
    session: data.session
  body_format: json
  body:
    password: "{{client_secret}}"
    n: [1, null]
"""


def test_steps_are_typed_as_yaml_and_stated_in_canonical_order(page, plain, exported):
    response = page.save(plain, {"steps_text": STEPS.replace("\n", "\r\n")})

    assert response.status_code == 302, response.context["errors"]
    (step,) = exported("plain")["auth_methods"][0]["steps"]
    assert list(step.items()) == [
        ("key", "login"),
        ("keep", {"session": "data.session"}),
        ("url", "https://auth.example.com/login"),
        ("body_format", "json"),
        ("body", {"password": "{{client_secret}}", "n": [1, None]}),
    ]


def test_steps_that_are_left_alone_stay_and_emptied_ones_go(page, plain, exported):
    page.save(plain, {"steps_text": STEPS})
    before = exported("plain")

    page.save(plain)
    after = exported("plain")
    page.save(plain, {"steps_text": ""})

    assert after == before
    assert "steps" not in exported("plain")["auth_methods"][0]


@pytest.mark.parametrize("body", ["\n\nx\n", "\n  a\nb\n"])
def test_a_text_that_begins_with_a_line_break_is_left_alone(page, plain, exported, body):
    request = {**plain.token_request, "client_authentication": "none", "body_format": "text", "body": body}
    AuthMethod.objects.filter(pk=plain.pk).update(token_request=request)
    plain.refresh_from_db()
    before = exported("plain")

    response = page.save(plain)

    assert response.status_code == 302
    assert exported("plain") == before
