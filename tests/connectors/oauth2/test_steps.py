from datetime import timedelta
from typing import Any

import pytest

from connectors.oauth2.checks import check_connector
from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable, ResponseNotUnderstood, ValidationFailed
from connectors.oauth2.exchange import ask
from connectors.oauth2.problems import dotted
from connectors.oauth2.request import api_signature, endpoint_of
from tests.connectors.oauth2.definitions import NOW, answer, connector_of, given, method_of

SECRET = "s3cr3t:v@lue/+"
LOGIN: dict[str, Any] = {
    "key": "login",
    "url": "https://auth.example.com/login",
    "keep": {"session": "data.session", "api": "data.api"},
    "body": {"user": "{{client_id}}", "password": "{{client_secret}}"},
}
WITH_SESSION: dict[str, Any] = {
    "client_authentication": "none",
    "headers": {"X-Session": "{{login.session}}"},
    "body": {},
}
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
    parts: dict[str, Any] = {"base_url": "{{login.api}}", "api_request": {"headers": {"X-S": "{{login.session}}"}}}
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
        (answer({"data": {"session": "s", "api": "https://eu.example.com"}}, 401), CredentialsRefused),
        (answer({"data": {"session": "s", "api": "https://eu.example.com"}}, 302), ResponseNotUnderstood),
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
        {"steps": [LOGIN], "token_request": dict(WITH_SESSION, url="https://{{shop}}/token")},
    ],
)
def test_the_operator_s_secret_and_what_it_bought_go_to_no_tenant_s_host(parts):
    assert [path.split(".")[-1] for path in problems(variables=[{"key": "shop"}, *OPERATOR], **parts)] == ["url"]


def failing(error):
    def send(request):
        raise error

    return send


def test_what_goes_wrong_on_the_way_names_the_step_and_keeps_its_class():
    method = method_of(steps=[LOGIN], token_request=WITH_SESSION)
    trouble = ProviderUnavailable("auth.example.com did not answer in time.", "Why.", "What.", retry_after=7)

    with pytest.raises(ProviderUnavailable) as raised:
        ask(method, given(method, client_secret=SECRET), send=failing(trouble), clock=lambda: NOW)

    assert str(raised.value) == "At the step “login”: auth.example.com did not answer in time. Why. What."
    assert raised.value.retry_after == 7


@pytest.mark.parametrize(("url", "is_endpoints"), [(LOGIN["url"], True), ("https://login.example.com/login", False)])
def test_only_trouble_of_the_token_endpoint_itself_is_counted_against_it(url, is_endpoints):
    method = method_of(steps=[{**LOGIN, "url": url}], token_request=WITH_SESSION)
    trouble = ProviderUnavailable("It is down.", is_endpoints=True)

    for send in (failing(trouble), lambda _: answer(b"", 503)):
        with pytest.raises(ProviderUnavailable) as raised:
            ask(method, given(method, client_secret=SECRET), send=send, clock=lambda: NOW)

        assert raised.value.is_endpoints is is_endpoints


def test_the_endpoint_is_the_step_s_where_only_its_answer_names_that_of_the_token():
    named = method_of(steps=[LOGIN], token_request=WITH_SESSION)
    told = method_of(steps=[LOGIN], token_request={**WITH_SESSION, "url": "https://x{{login.api}}.example.org/token"})

    assert endpoint_of(named, given(named)) == "https://auth.example.com"
    assert endpoint_of(told, given(told)) == "https://auth.example.com"


def test_the_endpoint_is_the_same_whether_or_not_the_usual_port_is_named():
    variables = [{"key": "host", "format": "hostname"}, {"key": "site", "format": "url"}]
    for url in ("https://{{host}}/token", "https://{{host}}:443/token", "{{site}}/token"):
        method = method_of(variables=variables, token_request={"url": url})
        values = given(method, host="Auth.example.com", site="https://auth.example.com:443/x")

        assert endpoint_of(method, values) == "https://auth.example.com"


def test_a_provider_s_own_codes_count_in_a_step_too():
    places = {"error": ["code"], "error_description": "text", "errors": {"retry": ["BUSY"]}}

    with pytest.raises(CredentialsRefused, match="NO_SUCH_USER: Nobody there"):
        asked(answer({"code": "NO_SUCH_USER", "text": "Nobody there"}), token_response=places)
    with pytest.raises(ProviderUnavailable, match="step “login”"):
        asked(answer({"code": "BUSY"}), token_response=places)


def test_an_error_counts_where_something_that_is_kept_is_lacking():
    with pytest.raises(CredentialsRefused, match="invalid_client"):
        asked(answer({"error": "invalid_client", "data": {"api": "https://eu.example.com"}}))
    with pytest.raises(CredentialsRefused, match="invalid_client"):
        asked(answer({"error": "invalid_client"}), steps=[{**LOGIN, "keep": {}}], token_request={"body": {}})


def test_a_step_that_keeps_nothing_is_fine_with_any_success():
    sent = []

    asked(answer(b"", 204), TOKEN, sent=sent, steps=[{**LOGIN, "keep": {}}], token_request={"body": {}})

    assert len(sent) == 2


@pytest.mark.parametrize(
    ("said", "keep", "kept"),
    [
        (answer(b"<r><s id='7'>abc</s></r>", content_type="application/xml"), {"s": "r.s", "id": "r.s.@id"}, "abc 7"),
        (answer(b"", **{"Set-Cookie": "JSESSIONID=abc; Path=/; Secure"}), {"s": "cookie:JSESSIONID"}, "abc "),
        (answer(b"", **{"X-Auth": "abc"}), {"s": "header:x-auth"}, "abc "),
        (answer(b"abc\n", content_type="text/plain"), {"s": "$"}, "abc "),
        (answer({"s": 12, "id": True}), {"s": "s", "id": "id"}, "12 true"),
        (answer({"s": [1], "id": "x"}), {"s": "s", "id": "id"}, " x"),
    ],
)
def test_a_step_keeps_what_stands_anywhere_in_an_answer(said, keep, kept):
    sent = []
    request = {"headers": {"X-S": "[{{login.s}} {{login.id}}]" if "id" in keep else "[{{login.s}} ]"}, "body": {}}

    asked(said, TOKEN, sent=sent, steps=[{**LOGIN, "keep": keep}], token_request=request)

    assert sent[1].headers.get("X-S") == f"[{kept}]"


def test_the_proof_of_a_key_goes_with_the_token_request_alone_where_that_alone_is_bound():
    sent = []

    grant = asked(
        LOGGED_IN,
        answer({"access_token": "t", "token_type": "DPoP"}),
        sent=sent,
        token_request={**WITH_SESSION, "dpop": True},
    )

    assert "DPoP" not in sent[0].headers
    assert "DPoP" in sent[1].headers
    assert grant.dpop_key


def test_no_more_than_three_steps_are_taken_in():
    with pytest.raises(ValueError, match="at most 3"):
        method_of(steps=[{**LOGIN, "key": f"s{index}"} for index in range(4)])


def test_steps_may_open_an_address_with_the_base_url_once_all_that_it_is_made_of_is_known():
    second = {"key": "who", "url": "{{base_url}}/who", "keep": {"id": "id"}}

    assert problems(steps=[LOGIN, second], base_url="{{login.api}}", token_request={"body": {}}) == []
    assert "steps[0].url" in problems(steps=[second, LOGIN], base_url="{{login.api}}", token_request={"body": {}})


def test_a_cookie_that_a_step_kept_signs_api_requests():
    parts = {"api_request": {"headers": {"Cookie": "JSESSIONID={{login.session}}", "X-T": "{{access_token}}"}}}
    method = method_of(steps=[LOGIN], token_request=WITH_SESSION, **parts)

    signature = api_signature(method, given(method), asked(LOGGED_IN, TOKEN, **parts))

    assert signature.headers == {"Cookie": "JSESSIONID=the-session", "X-T": "t"}


def test_what_a_step_kept_is_not_repeated_even_where_it_was_not_sent():
    said = answer({"error": "bad", "error_description": "not at https://eu.example.com/v1"}, 400)

    with pytest.raises(CredentialsRefused) as refused:
        asked(LOGGED_IN, said)

    assert refused.value.description == "not at •••"
