"""Secrets are covered in whatever spelling they turn up, and what is shown says where it came from."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.oauth2.marking import MASK, Known, Marker, known_of, plain
from tests.connectors.oauth2.definitions import given as values_of
from tests.connectors.oauth2.definitions import method_of

SPELLINGS = {
    "itself": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: quote(text, safe="").replace("%3A", "%3a").replace("%2F", "%2f"),
    "percent, slashes": quote,
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "html": html.escape,
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64url": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "basic": lambda text: b64encode(f"the-id:{text}".encode()).decode(),
    "basic, percent": lambda text: b64encode(f"the-id:{quote(text, safe='')}".encode()).decode(),
}
# Of at least eight characters, as secrets are; any of which may need escaping.
secrets = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="•"), min_size=8, max_size=40)


def marker_for(*secrets, **shown):
    hidden = [Known(secret, (f"secret{index}",), is_secret=True) for index, secret in enumerate(secrets)]
    return Marker([*hidden, *(Known(value, (name,), is_secret=False) for name, value in shown.items())])


@pytest.mark.parametrize("spelling", [name for name in SPELLINGS if name != "basic, percent"])
@settings(max_examples=100, deadline=None)
@given(secret=secrets)
@example(secret="s3cr3t:v@lue/+%")
@example(secret="aaaaaaaaa")
@example(secret="line\none\nline two")
@example(secret="ends with a space ")
def test_covers_a_secret_in_every_spelling(spelling, secret):
    spelled = SPELLINGS[spelling](secret)

    shown = marker_for(secret).masked(f"<before> {spelled} <after>")

    assert shown.replace(" ", "") == f"<before>{MASK}<after>"


@settings(max_examples=200, deadline=None)
@given(text=st.text("abc=&", max_size=40), secrets=st.lists(st.text("abc", min_size=4, max_size=8), max_size=4))
@example(text="aabcabcc", secrets=["aabcab", "abcc"])
def test_nothing_is_left_of_secrets_that_overlap(text, secrets):
    shown = marker_for(*secrets, plain="abca").masked(text)

    assert not any(secret in shown for secret in secrets)


def test_marks_what_is_no_secret_with_its_variable():
    line = marker_for("s3cr3t-value", tenant="acme").mark("https://acme.example.com/?x=s3cr3t-value")

    assert [(one.text, one.names) for one in line] == [
        ("https://", ()),
        ("acme", ("tenant",)),
        (".example.com/?x=", ()),
        (MASK, ("secret0",)),
    ]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{client_secret|sha256}}", sha256(b"the-secret").hexdigest()),
        ("{{client_secret|upper}}", "THE-SECRET"),
        ('{{(client_id ~ ":" ~ client_secret)|base64}}', "dGhlLWlkOnRoZS1zZWNyZXQ="),
    ],
)
def test_covers_what_filters_make_of_a_secret(template, text):
    method = method_of(token_request={"client_authentication": "none", "headers": {"X-Key": template}})
    rendering = values_of(method)
    made = method.definition.token_request.headers["X-Key"]

    marker = Marker(known_of(method, rendering))

    from_template = next(one for one in known_of(method, rendering) if one.is_secret and one.value != "the-secret")
    assert from_template.value.startswith(text)
    assert made == template
    assert plain(marker.mark(f"X-Key: {from_template.value}")) == f"X-Key: {MASK}"


def test_covers_signed_tokens_that_nobody_knew():
    assert Marker(()).masked("id_token=eyJhbGciOiJ.eyJzdWIi.c2ln&x") == f"id_token={MASK}&x"


def test_shows_no_value_in_a_repr():
    assert "s3cr3t" not in repr(marker_for("s3cr3t-value")) + repr(Known("s3cr3t-value", ("a",), is_secret=True))
