import json

import pytest

from connectors.oauth2.answers import read_answer
from tests.connectors.oauth2.definitions import answer

TOKEN = {"access_token": "tökén"}
UTF8 = json.dumps(TOKEN, ensure_ascii=False).encode()


def token(body, content_type):
    return read_answer(answer(body, content_type=content_type)).find("access_token")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/vnd.example+json",
        "text/json",
        "text/javascript",
        "text/html",
        "text/plain; charset=utf-8",
        "application/x-www-form-urlencoded",
        "application/xml",
        "",
        "nonsense",
        "; charset=utf-8",
    ],
)
def test_a_json_object_is_json_whatever_its_label(content_type):
    assert token(UTF8, content_type) == "tökén"
    assert token(b"\n " + UTF8, content_type) == "tökén"
    assert token(b"\xef\xbb\xbf" + UTF8, content_type) == "tökén"


@pytest.mark.parametrize("body", [b'["access_token"]', b"access_token", b'access_token: "x"', b"{access_token: x}"])
def test_other_text_is_no_tree(body):
    assert token(body, "text/plain") is None


def test_reads_form_encoded_answers():
    body = b"access_token=a%2Bb+c&expires_in=3600&empty=&access_token=second\n"

    read = read_answer(answer(body, content_type="application/x-www-form-urlencoded; charset=UTF-8"))

    assert (read.find("access_token"), read.find("expires_in"), read.find("empty")) == ("a+b c", "3600", "")


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("iso-8859-1", "latin-1"),
        ("ISO_8859-15", "iso8859-15"),
        ("windows-1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16le", "utf-16le"),
        ("us-ascii", "utf-8"),
    ],
)
def test_reads_the_charset_that_the_answer_names(charset, encoding):
    body = json.dumps(TOKEN, ensure_ascii=charset == "us-ascii").encode(encoding)

    assert token(body, f"application/json; charset={charset}") == "tökén"


@pytest.mark.parametrize(
    "charset",
    [
        "idna",
        "zlib",
        "hex",
        "rot13",
        "punycode",
        "unicode_escape",
        "undefined",
        "utf-7",
        "klingon",
        "iso-8859-99",
        "",
        "'",
    ],
)
def test_a_charset_that_is_none_is_utf_8(charset):
    assert token(UTF8, f"application/json; charset={charset}") == "tökén"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"access_token": }',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b"a=1&" * 5000,
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", ""])
def test_a_broken_answer_holds_nothing(body, content_type):
    assert token(body, content_type) is None


def test_a_number_of_thousands_of_digits_spoils_nothing():
    body = b'{"access_token": "abc", "serial": ' + b"9" * 10_000 + b"}"

    assert token(body, "application/json") == "abc"
