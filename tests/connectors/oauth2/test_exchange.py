import json

import pytest

from connectors.oauth2.errors import (
    CredentialsRefused,
    ProviderUnavailable,
    ResponseNotUnderstood,
    TokenError,
    ValidationFailed,
)
from connectors.oauth2.exchange import ask, try_token
from connectors.oauth2.http import Headers, HttpResponse
from tests.connectors.oauth2.definitions import NOW, answer, given, method_of

SECRET = "s3cr3t:v@lue/+"


def asked(response, values=None, sent=None, **parts):
    def send(request):
        if sent is not None:
            sent.append(request)
        return response(request) if callable(response) else response

    method = method_of(**parts)
    return ask(method, given(method, **{"client_secret": SECRET, **(values or {})}), send=send, clock=lambda: NOW)


def test_asks_once_and_reads_the_answer():
    sent = []

    got = asked(answer({"access_token": "t", "expires_in": 60}), sent=sent)

    assert got.access_token == "t"
    assert len(sent) == 1


def test_sends_nothing_where_a_value_is_missing():
    sent = []

    with pytest.raises(ValidationFailed):
        asked(answer({}), {"client_id": ""}, sent)

    assert sent == []


def test_an_answer_that_can_t_make_the_api_s_address_is_malformed():
    with pytest.raises(ResponseNotUnderstood):
        asked(answer({"access_token": "t"}), base_url="{{response.site}}", token_response={"keep": ["site"]})


def echo(request):
    """A provider that repeats everything, as form or header or JSON."""
    said = f"{request.url} {dict(request.headers.fields)} {(request.body or b'').decode()}"
    return HttpResponse(
        400,
        Headers((("Content-Type", "application/json"),)),
        json.dumps({"error": "bad", "error_description": said}).encode(),
    )


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"token_request": {"client_authentication": "client_secret_basic"}},
        {"token_request": {"client_authentication": "client_secret_basic", "basic_encoding": "raw"}},
        {"token_request": {"body_format": "json"}},
        {"token_request": {"method": "GET", "body_format": "none"}},
        {
            "token_request": {
                "client_authentication": "none",
                "headers": {"X-S": "{{client_secret|sha256}}"},
                "body": {},
            }
        },
        {
            "token_request": {
                "client_authentication": "none",
                "headers": {"Authorization": "ID {{(client_id ~ client_secret)|base64}}"},
            }
        },
        {"token_request": {"url": "https://a.example/{{client_secret}}", "client_authentication": "none"}},
    ],
)
def test_no_error_repeats_what_was_made_of_a_secret(parts):
    sent = []

    with pytest.raises(CredentialsRefused) as refused:
        asked(echo, sent=sent, **parts)

    shown = f"{refused.value} {refused.value!r} {vars(refused.value)}"
    assert "•••" in shown
    assert SECRET not in shown
    for header in ("Authorization", "X-S"):
        for value in sent[0].headers.all(header):
            assert value.rpartition(" ")[2] not in shown


@pytest.mark.parametrize(
    "response",
    [
        answer({"error": "invalid_client", "error_description": f"no {SECRET}"}, 401),
        answer({"access_token": f"broken {SECRET}"}),
        answer(f'{{"access_token": "{SECRET}"'.encode()),
        answer({"access_token": "t", "site": f"https://{SECRET}@a"}),
        answer(b"", 503, Retry_After=SECRET),
    ],
)
def test_no_error_holds_a_secret_on_any_way_to_it(response):
    with pytest.raises(TokenError) as refused:
        asked(response, base_url="{{response.site}}", token_response={"keep": ["site"]})

    error = refused.value
    while error is not None:
        assert SECRET not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


def test_a_value_that_can_t_stand_where_it_is_put_is_not_shown():
    with pytest.raises(ValidationFailed) as refused:
        asked(
            answer({}),
            {"client_secret": "top secret\nvalue"},
            token_request={"client_authentication": "none", "headers": {"X-S": "{{client_secret}}"}},
        )

    assert "top secret" not in f"{refused.value!r} {refused.value.fields}"
    assert refused.value.__context__ is None


@pytest.mark.parametrize(("status", "fine"), [(200, True), (204, True), (401, False), (404, False)])
def test_the_test_request_says_whether_the_token_works(status, fine):
    method = method_of(test_request={"url": "https://api.example.com/me", "expect_status": [200, 204]})
    token = asked(answer({"access_token": "t"}))

    def tried():
        try_token(method, given(method), token, send=lambda request: answer(b"", status))

    if fine:
        tried()
    else:
        with pytest.raises(CredentialsRefused, match=f"status {status} instead of 200 or 204"):
            tried()


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_an_api_in_trouble_says_nothing_of_the_token(status):
    method = method_of(test_request={"url": "https://api.example.com/me"})
    token = asked(answer({"access_token": "t"}))

    with pytest.raises(ProviderUnavailable, match=f"status {status} instead of 200") as met:
        try_token(method, given(method), token, send=lambda request: answer(b"", status, Retry_After="7"))

    assert (met.value.retry_after, met.value.is_endpoints) == (7, False)


def test_a_status_that_the_definition_reads_as_a_dead_token_is_a_refusal():
    method = method_of(test_request={"url": "https://api.example.com/me"}, refresh={"on_status": [401, 503]})
    token = asked(answer({"access_token": "t"}))

    with pytest.raises(CredentialsRefused, match="status 503"):
        try_token(method, given(method), token, send=lambda request: answer(b"", 503))
