from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.oauth2.errors import ResponseNotUnderstood, TokenError
from connectors.oauth2.http import Headers, HttpResponse
from connectors.oauth2.response import TokenGrant
from tests.connectors.oauth2.definitions import NOW, answer, grant


def life(body, **token_response):
    return grant(answer({"access_token": "t", **body}), **token_response).life


def test_reads_the_answer_that_rfc_6749_shows():
    got = grant(answer({"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "bearer", "expires_in": 3600}))

    assert got.access_token == "2YotnFZFEjr1zCsicMWpAA"
    assert got.token_type == "bearer"
    assert got.expires_at == NOW + timedelta(hours=1)
    assert got.issued_at == NOW
    assert got.kept == {}


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 299])
def test_any_2xx_counts_if_there_is_a_token(status):
    assert grant(answer({"access_token": "t"}, status)).access_token == "t"


@pytest.mark.parametrize("status", [100, 199, 300, 302, 400, 404, 500])
def test_no_other_status_does(status):
    with pytest.raises(TokenError):
        grant(answer({"access_token": "t"}, status))


def test_an_error_beside_a_token_in_a_2xx_is_no_refusal():
    assert grant(answer({"access_token": "t", "error": "invalid_client"})).access_token == "t"


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("token.accessToken", answer({"token": {"accessToken": "t"}})),
        ("data.0.token", answer({"data": [{"token": "t"}]})),
        ("header:X-Auth-Token", answer(b"", X_Auth_Token="t")),
        ("cookie:B1SESSION", answer({}, Set_Cookie="B1SESSION=t; HttpOnly")),
        ("$", answer(b"t\n", content_type="text/plain")),
        ("$", answer("t")),
        ("access_token", answer(b"access_token=t", content_type="application/x-www-form-urlencoded")),
        ("access_token", answer({"access_token": " t "})),
    ],
)
def test_finds_the_token_where_the_definition_says(path, response):
    assert grant(response, access_token=path).access_token == "t"


@pytest.mark.parametrize("page", [b"<html><body>Hello</body></html>", b"<!DOCTYPE html><title>x</title>"])
def test_a_page_is_no_token_even_where_the_whole_body_is_one(page):
    with pytest.raises(ResponseNotUnderstood, match="page"):
        grant(answer(page, content_type="text/html"), access_token="$")


def test_a_page_may_come_with_a_token_that_stands_elsewhere():
    response = answer(b"<html>Welcome</html>", content_type="text/html", Set_Cookie="session=t")

    assert grant(response, access_token="cookie:session").access_token == "t"


def test_the_supplied_path_is_what_the_tenant_typed():
    assert grant(answer({"id_token": "t"}), values={"token_key": "id_token"}).access_token == "t"


def test_a_number_can_be_a_token():
    assert grant(answer({"access_token": 12345})).access_token == "12345"


@pytest.mark.parametrize("token", [None, "", " ", True, False, [], {}, ["t"], {"t": "t"}])
def test_what_is_no_token_is_not_found(token):
    with pytest.raises(ResponseNotUnderstood, match="without a token at “access_token”"):
        grant(answer({"access_token": token}))


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "null\x00", "é", "\ud800", "\x7f", "t" * 70_000])
def test_a_token_that_can_t_be_one_is_refused_unshown(token):
    with pytest.raises(ResponseNotUnderstood, match="is no token") as refused:
        grant(answer({"access_token": token}))

    assert token not in str(refused.value)


def test_the_unit_is_that_of_bare_numbers():
    assert life({"expires_in": 3_600_000}, expires_in_unit="ms") == timedelta(hours=1)
    assert life({"expires_in": "60"}, expires_in_unit="min") == timedelta(hours=1)


def test_expires_at_wins_over_expires_in():
    body = {"expires_in": 60, "expires": "2026-03-05T15:07:09.250Z"}

    assert life(body, expires_at="expires") == timedelta(hours=1)


def test_an_unusable_expires_at_leaves_it_to_expires_in():
    assert life({"expires_in": 60, "expires": "never"}, expires_at="expires") == timedelta(minutes=1)


@pytest.mark.parametrize("expires_in", [None, "soon", 0, -1, 10**30, [], "9" * 30])
def test_an_absurd_lifetime_leaves_it_to_the_default(expires_in):
    assert life({"expires_in": expires_in}, default_lifetime=1800) == timedelta(minutes=30)
    assert life({"expires_in": expires_in}) is None


def test_a_path_taken_away_is_not_looked_at():
    assert life({"expires_in": 60}, expires_in=None) is None
    assert life({"expires_in": 60}, expires_in="") is None


def test_token_type_is_bearer_unless_the_answer_says_otherwise():
    assert grant(answer({"access_token": "t"})).token_type == "Bearer"
    assert grant(answer({"access_token": "t", "token_type": "MAC\r\nX: y"})).token_type == "MAC X: y"


def test_keeps_other_fields_by_path_or_by_name():
    response = answer({"access_token": "t", "api_url": "https://a", "data": {"org": 7}, "live": True, "list": [1]})

    assert grant(response, keep=["api_url", "data.org", "nothing"]).kept == {
        "api_url": "https://a",
        "data.org": "7",
        "nothing": "",
    }
    assert grant(response, keep={"org": "data.org", "live": "live", "list": "list"}).kept == {
        "org": "7",
        "live": "true",
        "list": "",
    }


def test_half_characters_are_not_kept():
    got = grant(answer(b'{"access_token": "t", "name": "a\\ud800b"}'), keep=["name"])

    assert got.kept["name"] == "a\ufffdb"


STATUSES = st.integers(100, 599) | st.sampled_from([200, 200, 200, 201, 400, 401, 429, 503])
TYPES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "text/html", "application/json; charset=utf-16", ""]
)
FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "Retry-After", "Set-Cookie", "X-Token"]),
        st.text(st.characters(max_codepoint=255))
        | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ \S*"),
    ),
    max_size=4,
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["t", "invalid_client", 0])
)
NAMES = st.sampled_from(["access_token", "expires_in", "expires_at", "error", "error_description", "code", "data", "a"])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=12
)
BODIES = (
    st.binary()
    | TREES.map(lambda tree: answer(tree).body)
    | st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)
)
DEFINITIONS = st.fixed_dictionaries(
    {},
    optional={
        "access_token": st.sampled_from(["access_token", "data.access_token", "$", "header:X-Token", "cookie:a"]),
        "expires_at": st.sampled_from(["expires_at", "data.expires_at"]),
        "expires_in_unit": st.sampled_from(["s", "ms", "min"]),
        "default_lifetime": st.just(3600),
        "keep": st.just(["a", "data", "error"]),
        "error": st.sampled_from(["error", ["error", "code", "data.code"]]),
        "errors": st.just({"credentials": ["a", 1], "retry": ["t", 0]}),
    },
)


@given(STATUSES, TYPES, FIELDS, BODIES, DEFINITIONS)
@settings(max_examples=300, deadline=None)
def test_any_answer_is_a_grant_or_a_typed_error(status, content_type, fields, body, definition):
    response = HttpResponse(status, Headers((("Content-Type", content_type), *fields)), body)

    try:
        got = grant(response, secrets=("the-secret",), **definition)
    except TokenError as refused:
        got = refused

    assert isinstance(got, TokenGrant | TokenError)
    assert not isinstance(got, TokenGrant) or got.access_token.isascii()
    str(got).encode()
