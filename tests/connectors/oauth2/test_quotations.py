import json
from base64 import b64encode
from html import escape
from time import process_time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oauth2.quotations import quotable

SECRET = 'p@ss/w+rd "1"<&'
STARRED = "p@ss/w*rd (1)!"


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        escape(SECRET),
        b64encode(SECRET.encode()).decode(),
    ],
)
def test_hides_a_secret_in_every_spelling(spelling):
    assert quotable(f"client_secret {spelling} is wrong", [SECRET]) == "client_secret ••• is wrong"


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(quote(STARRED), id="a path's, as Python and others spell it"),
        pytest.param(quote(STARRED, safe="!'()*"), id="JavaScript's encodeURIComponent"),
        pytest.param(quote(STARRED, safe="/!'()*@"), id="JavaScript's encodeURI"),
        pytest.param(quote_plus(STARRED, safe="*"), id="Java's URLEncoder"),
        pytest.param(quote(STARRED, safe="!'()*").lower(), id="in lower case"),
        pytest.param(STARRED.replace("/", "\\/"), id="PHP's json_encode"),
    ],
)
def test_hides_a_secret_that_another_language_encoded(spelling):
    assert spelling != STARRED
    assert quotable(f"client_secret {spelling} is wrong", [STARRED]) == "client_secret ••• is wrong"


def test_hides_a_secret_that_crosses_the_cut():
    shown = quotable("x" * 295 + "the-secret", ["the-secret"])

    assert "the" not in shown


def test_hides_the_longer_secret_first():
    assert quotable("abcdefgh", ["abcd", "abcdefgh"]) == "•••"


def test_hides_a_short_secret_where_it_is_a_word():
    assert quotable("a b: bab", ["b"]) == "a •••: bab"


def test_hides_a_secret_that_was_spread_over_lines():
    assert quotable("sent: first second", ["first\n  second"]) == "sent: •••"


def test_an_empty_secret_hides_nothing():
    assert quotable("fine", ["", "  "]) == "fine"


def test_shows_one_line_without_markup():
    text = "<html><b>Bad</b>\r\n\trequest\x00\u202e<script>alert(1)</script>\ud800 <"

    assert quotable(text, []) == "Bad request alert(1) <"


def test_cuts_what_is_long():
    assert quotable("a" * 5000, []) == "a" * 299 + "…"


@pytest.mark.parametrize("character", ["<", " ", "<>", "\x00", "a<", "%"])
def test_takes_no_time_for_a_megabyte_of_anything(character):
    started = process_time()

    quotable(character * 1_000_000, ["the-secret", "another"])

    assert process_time() - started < 2


@given(st.text(), st.text(min_size=4), st.text())
def test_a_secret_is_never_shown(before, secret, after):
    shown = quotable(before + secret + after, [secret])

    assert secret not in shown.replace("•••", "") or secret in (before + after) or "•" in secret
