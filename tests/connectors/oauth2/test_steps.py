from datetime import timedelta

import pytest

from connectors.oauth2.checks import check_connector
from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable, ResponseNotUnderstood, ValidationFailed
from connectors.oauth2.exchange import ask
from connectors.oauth2.problems import dotted
from connectors.oauth2.request import api_signature
from tests.connectors.oauth2.definitions import NOW, answer, connector_of, given, method_of

SECRET = "s3cr3t:v@lue/+"
LOGIN = {
    "key": "login",
    "url": "https://auth.example.com/login",
    "keep": {"session": "data.session", "api": "data.api"},
    "body": {"user": "{{client_id}}", "password": "{{client_secret}}"},
}
WITH_SESSION = {"client_authentication": "none", "headers": {"X-Session": "{{login.session}}"}, "body": {}}
LOGGED_IN = answer({"data": {"session": "the-session", "api": "https://eu.example.com/v1"}})
TOKEN = answer({"access_token": "t"})
OPERATOR = [{"key": "client_secret", "display": "hidden", "default_from_env": "ACME_SECRET"}]


def asked(*answers, sent=None, clock=lambda: NOW, values=None, **parts):
    waiting = list(answers)

    def send(request):
        if sent is not None:
            sent.append(request)
        return waiting.pop(0)

    method = method_of(**{"steps": [LOGIN], "token_request": WITH_SESSION, **parts})
    return ask(method, given(method, **{"client_secret": SECRET, **(values or {})}), send=send, clock=clock)


def problems(**parts):
    return [dotted(found.path).removeprefix("auth_methods[0].") for found in check_connector(connector_of(**parts))]


def test_a_later_request_reads_what_a_step_kept():
    sent = []

    asked(LOGGED_IN, TOKEN, sent=sent)

    assert [request.url for request in sent] == [LOGIN["url"], "https://auth.example.com/token"]
    assert sent[1].headers.get("X-Session") == "the-session"


def test_a_step_is_supplied_a_form_posted_without_client_authentication():
    sent = []

    asked(LOGGED_IN, TOKEN, sent=sent, steps=[{**LOGIN, "body": None}])

    assert (sent[0].method, sent[0].body) == ("POST", b"")
    assert sent[0].headers.get("Content-Type") == "application/x-www-form-urlencoded"
    assert "Authorization" not in sent[0].headers


def test_only_what_api_requests_use_is_kept_with_the_token():
    grant = asked(LOGGED_IN, TOKEN, base_url="{{login.api}}")

    assert grant.steps == {"login.api": "https://eu.example.com/v1"}


def test_api_requests_are_signed_without_another_login():
    parts = {"base_url": "{{login.api}}", "api_request": {"headers": {"X-S": "{{login.session}}"}}}
    method = method_of(steps=[LOGIN], token_request=WITH_SESSION, **parts)

    signature = api_signature(method, given(method), asked(LOGGED_IN, TOKEN, **parts))

    assert signature.base_url == "https://eu.example.com/v1"
    assert signature.headers == {"X-S": "the-session"}


def test_every_request_says_what_those_before_it_used_of_the_deadline():
    sent, seconds = [], iter(range(0, 100, 5))

    asked(LOGGED_IN, TOKEN, sent=sent, clock=lambda: NOW + timedelta(seconds=next(seconds)))

    assert [request.spent for request in sent] == [5, 15]


def test_sends_nothing_where_a_value_is_missing():
    sent = []

    with pytest.raises(ValidationFailed):
        asked(sent=sent, values={"client_id": ""})

    assert sent == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer({"error": "invalid_client"}, 401), CredentialsRefused),
        (answer({"error": "invalid_client"}), CredentialsRefused),
        (answer(b"<html>Sign in</html>"), ResponseNotUnderstood),
        (answer({}), ResponseNotUnderstood),
        (answer(b"", 302), ResponseNotUnderstood),
        (answer(b"", 404), ResponseNotUnderstood),
        (answer(b"", 429), ProviderUnavailable),
        (answer(b"", 503), ProviderUnavailable),
    ],
)
def test_a_step_that_fails_ends_the_exchange_and_is_named(said, error):
    sent = []

    with pytest.raises(error, match="step “login”"):
        asked(said, sent=sent)

    assert len(sent) == 1


def test_a_field_that_a_step_lacks_is_empty():
    sent = []

    asked(answer({"data": {"api": "https://eu.example.com"}}), TOKEN, sent=sent)

    assert "X-Session" not in sent[1].headers


def test_an_address_that_opens_with_a_lacking_field_is_malformed():
    with pytest.raises(ResponseNotUnderstood):
        asked(answer({"data": {"session": "s"}}), token_request={**WITH_SESSION, "url": "{{login.api}}/token"})


def test_no_error_repeats_a_secret_or_what_a_step_kept():
    said = f"no the-session for {SECRET}"

    with pytest.raises(CredentialsRefused) as at_token:
        asked(LOGGED_IN, answer({"error": "bad", "error_description": said}, 400))
    with pytest.raises(CredentialsRefused) as at_step:
        asked(answer({"error": "bad", "error_description": said, "data": {"session": "the-session"}}, 400))

    for refused in (at_token, at_step):
        assert "•••" in str(refused.value)
        assert "the-session" not in f"{refused.value} {vars(refused.value)}"
        assert SECRET not in f"{refused.value} {vars(refused.value)}"


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        ([{**LOGIN, "headers": {"X": "{{login.session}}"}}], "steps[0].headers.X"),
        (
            [{**LOGIN, "headers": {"X": "{{later.a}}"}}, {**LOGIN, "key": "later", "keep": {"a": "a"}}],
            "steps[0].headers.X",
        ),
        ([LOGIN, LOGIN], "steps[1].key"),
        ([{**LOGIN, "key": "response"}], "steps[0].key"),
        ([{**LOGIN, "key": "client_id"}], "steps[0].key"),
        ([{**LOGIN, "keep": {"a b": "a"}}], "steps[0].keep.a b"),
        ([{**LOGIN, "keep": {"a": ""}}], "steps[0].keep.a"),
        ([{**LOGIN, "method": "GET"}], "steps[0].body_format"),
        ([{**LOGIN, "url": "nowhere"}], "steps[0].url"),
        ([{**LOGIN, "client_authentication": "private_key_jwt"}], "steps[0].assertion.key"),
        ([{**LOGIN, "client_authentication": "tls_client_auth"}], "steps[0].tls"),
    ],
)
def test_a_step_that_can_t_work_is_refused_where_it_stands(steps, path):
    assert path in problems(steps=steps)


def test_a_good_step_is_not_refused():
    assert problems(steps=[LOGIN], token_request=WITH_SESSION, base_url="{{login.api}}/v2") == []


@pytest.mark.parametrize(
    "parts",
    [
        {"steps": [{**LOGIN, "url": "https://{{shop}}.example.com/login"}]},
        {
            "steps": [{**LOGIN, "url": "https://{{shop}}.example.com/where", "body": {}}],
            "token_request": {"url": "{{login.api}}/token"},
        },
        {"steps": [LOGIN], "token_request": {**WITH_SESSION, "url": "https://{{shop}}/token"}},
    ],
)
def test_the_operator_s_secret_and_what_it_bought_go_to_no_tenant_s_host(parts):
    assert [path.split(".")[-1] for path in problems(variables=[{"key": "shop"}, *OPERATOR], **parts)] == ["url"]
