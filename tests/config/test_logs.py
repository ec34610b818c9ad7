import json
import logging
import sys

import pytest

from config.logs import HIDDEN, OneLine, OneObject, hide_secrets


def logged(message, *arguments, error=None):
    exception = (type(error), error, None) if error else None
    return OneLine().format(logging.LogRecord("tenants", logging.ERROR, "x.py", 1, message, arguments, exception))


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cr3t-token-value",
        "Authorization: Basic czNjcjN0LXRva2VuLXZhbHVl",
        "{'Authorization': 'Bearer s3cr3t-token-value'}",
        "POST /token client_id=abc&client_secret=s3cr3t-token-value&scope=x",
        '{"access_token": "s3cr3t-token-value", "expires_in": 3600}',
        "{'refresh_token': 's3cr3t-token-value'}",
        'password="s3cr3t-token-value with spaces"',
        "api_key: s3cr3t-token-value",
        "postgres://latchkey:s3cr3t-token-value@db.internal/keys",
        "redis://:s3cr3t-token-value@cache/0",
        "assertion eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.s3cr3t-token-value",
        "row gAAAAABs3cr3t-token-values3cr3t-token-value",
        "-----BEGIN PRIVATE KEY-----\ns3cr3t-token-value\n-----END PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text):
    shown = hide_secrets(text)

    assert HIDDEN in shown
    assert "s3cr3t-token-value" not in shown
    assert "czNjcjN0" not in shown


@pytest.mark.parametrize("text", ["Renewed 100 tokens in 0.3 s", "GET /instances/7 200", "zoom: invalid_client"])
def test_what_is_no_secret_stays_readable(text):
    assert hide_secrets(text) == text


def test_a_record_is_one_line_whatever_it_holds():
    line = logged("said %s", "one\ntwo\r\nthree\x1b[31m")

    assert line.count("\n") == 0
    assert "\x1b" not in line
    assert line.endswith("said one ⏎ two ⏎ three�[31m")


def test_a_traceback_shows_no_secret():
    try:
        raise ValueError("client_secret=s3cr3t-token-value")
    except ValueError:
        record = logging.LogRecord("tenants", logging.ERROR, "x.py", 1, "Failed", (), sys.exc_info())

    line = OneLine().format(record)

    assert "Traceback" in line
    assert "s3cr3t-token-value" not in line


def test_an_argument_of_the_message_is_looked_at_too():
    assert "s3cr3t" not in logged("%s failed with %r", "zoom", {"client_secret": "s3cr3t"})


def as_object(message, *arguments, error=None, **beside):
    exception = (type(error), error, None) if error else None
    record = logging.LogRecord("tenants", logging.WARNING, "x.py", 1, message, arguments, exception)
    vars(record).update(beside)
    line = OneObject().format(record)
    assert "\n" not in line
    return json.loads(line)


def test_a_line_is_an_object_with_what_is_known_beside():
    line = as_object("Renewal failed: %s", "provider_unavailable", instance="1-2-3", connector="zoom")

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "tenants",
        "message": "Renewal failed: provider_unavailable",
        "instance": "1-2-3",
        "connector": "zoom",
    }


def test_an_object_shows_no_secret_either():
    line = as_object(
        "sent client_secret=s3cr3t-value", error=ValueError("password=s3cr3t-value"), code="Bearer s3cr3t-value"
    )

    assert HIDDEN in line["message"]
    assert "s3cr3t" not in json.dumps(line)
    assert "ValueError" in line["error"]


def test_what_a_library_says_beside_is_not_taken_over():
    assert "request" not in as_object("Not found", request="GET /?code=abc", args_of="x")


def test_what_is_known_beside_stands_in_a_plain_line_too():
    record = logging.LogRecord("tenants", logging.INFO, "x.py", 1, "API call", (), None)
    record.route, record.status, record.key = "/api/v1/instances", 200, "lk_abcdefgh"

    assert OneLine().format(record).endswith("API call route=/api/v1/instances status=200 key=lk_abcdefgh")
