import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oauth2.answers import read_answer
from connectors.oauth2.http import Headers, HttpResponse
from connectors.oauth2.paths import PathError, check_path
from tests.connectors.oauth2.definitions import answer

TREE = {
    "access_token": "top",
    "data": {"token": {"value": "nested"}, "a.b": "inner"},
    "items": [{"token": "first"}, {"token": "second"}],
    "data.token.value.x": "literal",
    "x.y": {"z": "mixed"},
    "x": {"y": {"z": "deep", "w": "only deep"}},
    "null": None,
    "": {"": "empty names"},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("access_token", "top"),
        ("data.token.value", "nested"),
        ("data.token", {"value": "nested"}),
        ("items.0.token", "first"),
        ("items.1.token", "second"),
        ("items.2.token", None),
        ("items.-1.token", None),
        ("items.x.token", None),
        ("access_token.x", None),
        ("data.a.b", "inner"),
        ("data.token.value.x", "literal"),
        ("x.y.z", "mixed"),
        ("x.y.w", "only deep"),
        ("null", None),
        ("null.x", None),
        ("nothing", None),
        ("Access_Token", None),
        ("", None),
        (".", "empty names"),
    ],
)
def test_finds_what_stands_at_a_path(path, found):
    assert read_answer(answer(TREE)).find(path) == found


def test_a_literal_key_wins_whatever_its_place():
    for tree in ({"a.b": 1, "a": {"b": 2}}, {"a": {"b": 2}, "a.b": 1}):
        assert read_answer(answer(tree)).find("a.b") == 1


def test_finds_in_an_array_at_the_top():
    assert read_answer(answer([{"token": "t"}])).find("0.token") == "t"


@pytest.mark.parametrize(
    ("body", "content_type", "found"),
    [
        (b"abc", "text/plain", "abc"),
        (b" abc\r\n", "text/plain", "abc"),
        (b'"abc"', "application/json", "abc"),
        (b'"abc"', "text/plain", "abc"),
        (b' "a\\u0062c" \n', "text/plain", "abc"),
        (b'"abc', "text/plain", '"abc'),
        (b"12345", "application/json", "12345"),
        (b"null", "application/json", ""),
        (b"", "text/plain", ""),
        (b'{"a":1}', "application/json", '{"a":1}'),
        (b"a=b", "application/x-www-form-urlencoded", "a=b"),
    ],
)
def test_a_dollar_is_the_whole_body(body, content_type, found):
    assert read_answer(answer(body, content_type=content_type)).find("$") == found


def test_finds_header_fields_whatever_their_case():
    response = read_answer(answer({}, X_Auth_Token="abc"))

    assert response.find("header:x-auth-token") == "abc"
    assert response.find("header:X-Other") is None


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["session=abc; Path=/; HttpOnly"], "abc"),
        (['session="abc"'], "abc"),
        (["other=1", "session=abc"], "abc"),
        (["session=a=b=="], "a=b=="),
        (["session={json:1}"], "{json:1}"),
        (["session=; Max-Age=0", "session=abc"], "abc"),
        (["session=old", "session=new"], "new"),
        (["Session=abc"], None),
        (["session"], None),
        (["x; session=abc"], None),
        ([], None),
    ],
)
def test_finds_cookies(lines, found):
    response = HttpResponse(200, Headers(tuple(("Set-Cookie", line) for line in lines)), b"{}")

    assert read_answer(response).find("cookie:session") == found


@pytest.mark.parametrize(
    "path",
    ["", "$", "a", "a.b.0", "a b", "odata.@type", "header:X-A", "header:X.A", "cookie:B1SESSION", "a-b_c", "ключ"],
)
def test_accepts_paths(path):
    check_path(path)


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("$.data.token", "data.token"),
        ("$['token']", "with dots"),
        ("/data/token", "data.token"),
        ("items[0].token", "items.0.token"),
        ("a..b", "data.token"),
        (".a", "data.token"),
        ("a.", "data.token"),
        (" a", "data.token"),
        ("header:", "header:X-Auth-Token"),
        ("header:a b", "header:X-Auth-Token"),
        ("cookie:", "cookie:X-Auth-Token"),
        (".".join("a" * 100), "40 parts"),
    ],
)
def test_refuses_what_is_no_path_and_says_what_to_write(path, remedy):
    with pytest.raises(PathError, match=remedy):
        check_path(path)


def test_a_path_of_thousands_of_parts_finds_nothing_at_once():
    tree = "leaf"
    for _ in range(300):
        tree = {"a": tree}

    assert read_answer(answer(tree)).find(".".join("a" * 30_000)) is None


@given(st.text(st.sampled_from("ab.0$:header-cookie") | st.characters(), max_size=30))
def test_any_path_finds_something_or_nothing(path):
    response = read_answer(answer({"a": [{"b": 1}], "": {}}, Set_Cookie="a=b"))

    response.find(path)
    response.find(f"header:{path}")
    response.find(f"cookie:{path}")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("$.a.b", "names with dots: a.b."),
        ("$[0].a", "names with dots: 0.a."),
        ("$['a'].b", "names with dots: a.b."),
        ("$.", "names with dots: data.token."),
        ("/a/0/b", "names with dots: a.0.b."),
        ("//a", "names with dots: a."),
    ],
)
def test_a_path_in_another_language_is_told_in_ours(path, said):
    with pytest.raises(PathError, match=said):
        check_path(path)
