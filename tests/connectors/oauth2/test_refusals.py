import pytest

from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable, ResponseNotUnderstood
from connectors.oauth2.response import retry_after
from tests.connectors.oauth2.definitions import NOW, answer, grant


def refusal(kind, body, status=400, **token_response):
    with pytest.raises(kind) as refused:
        grant(answer(body, status), **token_response)
    return refused.value


@pytest.mark.parametrize(
    "code",
    [
        "invalid_client",
        "unauthorized_client",
        "invalid_grant",
        "invalid_scope",
        "unsupported_grant_type",
        "invalid_request",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404])
def test_an_oauth_error_is_the_owner_s_to_mend(code, status):
    refused = refusal(CredentialsRefused, {"error": code, "error_description": "Bad thing."}, status)

    assert (refused.error, refused.description, refused.status) == (code, "Bad thing.", status)
    assert f"status {status}: “{code}: Bad thing.”" in refused.what
    assert refused.why
    assert refused.remedy


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_without_words_is_one_too(status):
    refused = refusal(CredentialsRefused, b"", status)

    assert (refused.error, refused.description) == ("", "")
    assert refused.why
    assert refused.remedy


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 500),
        (b"", 502),
        (b"", 503),
        (b"", 408),
        (b"", 425),
        (b"", 429),
        ({"error": "temporarily_unavailable"}, 400),
        ({"error": "server_error"}, 200),
        ({"error": "slow_down"}, 400),
        ({"error": "too_many"}, 429),
        ({"error": "unheard_of"}, 500),
    ],
)
def test_trouble_that_passes_is_tried_again(body, status):
    refusal(ProviderUnavailable, body, status)


def test_a_refusal_stays_one_behind_a_500():
    refusal(CredentialsRefused, {"error": "invalid_client"}, 500)


@pytest.mark.parametrize("status", [200, 204, 301, 302, 404, 405, 415, 418])
def test_neither_token_nor_error_is_not_understood(status):
    refused = refusal(ResponseNotUnderstood, b"<html>hello</html>", status)

    assert refused.status == status
    assert refused.why
    assert refused.remedy
    assert "hello" not in str(refused)


def test_says_where_the_token_was_looked_for():
    assert "“data.token”" in refusal(ResponseNotUnderstood, {}, 200, access_token="data.token").what


@pytest.mark.parametrize(
    "value", [None, "", " ", 0, 0.0, -0.0, "0", False, [], {}, [0, None], {"code": 0}, {"code": "", "status": None}]
)
def test_no_error_is_no_refusal(value):
    refusal(ResponseNotUnderstood, {"error": value}, 200)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("bad", "bad"),
        (40013, "40013"),
        (40013.0, "40013"),
        (-1, "-1"),
        (True, "true"),
        ({"code": 7, "message": "no"}, "7"),
        ({"code": 0, "type": "expired"}, "expired"),
        ({"message": "no"}, "error"),
        ([{"code": "first"}, {"code": "second"}], "first"),
        ({"error": {"code": {"code": "deep"}}}, "deep"),
    ],
)
def test_reads_codes_of_all_kinds(value, code):
    assert refusal(CredentialsRefused, {"error": value}, 200).error == code


def test_an_error_of_hundreds_of_levels_is_an_error():
    value = "x"
    for _ in range(300):
        value = {"error": value}

    assert refusal(CredentialsRefused, value, 400).error == "error"


def test_the_definition_s_own_codes_outweigh_the_status():
    rules = {"error": "errcode", "errors": {"credentials": [40013, "E7"], "retry": [-1, "busy"]}}

    refusal(CredentialsRefused, {"errcode": 40013}, 200, **rules)
    refusal(CredentialsRefused, {"errcode": "40013"}, 503, **rules)
    refusal(CredentialsRefused, {"errcode": "E7"}, 429, **rules)
    refusal(ProviderUnavailable, {"errcode": -1}, 200, **rules)
    refusal(ProviderUnavailable, {"errcode": "busy"}, 401, **rules)


def test_every_place_of_an_error_is_looked_at():
    rules = {"error": ["title", "detail.code"], "errors": {"retry": ["slow"]}}

    unavailable = refusal(ProviderUnavailable, {"title": "Bad Request", "detail": {"code": "slow"}}, 400, **rules)

    assert "Bad Request" in unavailable.what


def test_reads_the_description_where_the_definition_says_or_where_it_often_is():
    assert refusal(CredentialsRefused, {"m": "why"}, 401, error_description="m").description == "why"
    assert refusal(CredentialsRefused, {"b": "why"}, 401, error_description=["a", "b"]).description == "why"
    assert refusal(CredentialsRefused, {"message": "why"}, 401).description == "why"
    assert refusal(CredentialsRefused, {"error": {"message": "why"}}, 401).description == "why"


def test_an_error_header_can_be_the_error():
    with pytest.raises(CredentialsRefused) as refused:
        grant(answer(b"", 400, X_Error="nope"), error="header:X-Error")

    assert refused.value.error == "nope"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("999999999", 86_400),
        ("9" * 11, 86_400),
        ("9" * 40, 86_400),
        ("Thu, 05 Mar 2026 14:08:09 GMT", 59.75),
        ("Thu, 05 Mar 2026 14:00:00 GMT", 0),
        ("Thu, 05 Mar 2026 15:08:09 +0100", 59.75),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("٣", None),
        ("Thu, 05 Mar 2026", None),
        ("Thu, 05 Mar 99999 14:08:09 GMT", None),
        ("Thu, 05 Mar 2026 99:99:99 GMT", None),
        ("Thu, 05 Mar 2026 14:08:09 +9999999999", None),
    ],
)
def test_reads_the_wish_to_wait(value, seconds):
    assert retry_after(answer(b"", 503, Retry_After=value).headers, NOW) == seconds


def test_hands_on_the_wish_to_wait():
    with pytest.raises(ProviderUnavailable) as refused:
        grant(answer(b"", 429, Retry_After="30"))

    assert refused.value.retry_after == 30
