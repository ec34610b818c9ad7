"""What a trial shows: the requests, the answers, where things were found, what would come of it; and no secret."""

import json
import shlex
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import unquote_plus

import pytest
from hypothesis import assume, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from connectors.oauth2.alternatives import worth_trying
from connectors.oauth2.curl import curl
from connectors.oauth2.errors import ProviderUnavailable
from connectors.oauth2.http import Headers, HttpRequest, HttpResponse
from connectors.oauth2.marking import plain
from connectors.oauth2.report import report_on
from connectors.oauth2.trial import Exchanged, first_request, try_out
from connectors.oauth2.values import resolve
from tests.connectors.client_pki import self_signed
from tests.connectors.oauth2.definitions import NOW, ONE_UUID, answer, given, method_of

GOOD = {"access_token": "tok-123456", "expires_in": 3600, "token_type": "Bearer"}


def tried(response, values=None, **parts):
    method = method_of(**parts)

    def send(request):
        found = response(request) if callable(response) else response
        if isinstance(found, Exception):
            raise found
        return found

    return try_out(method, given(method, **(values or {})), send=send, clock=lambda: NOW)


def text_of(report):
    """Everything that a report shows."""
    parts = [report.what, report.why, report.remedy, *report.hints]
    lines = [row.line for row in (*report.stored, *report.carried)]
    for step in report.steps:
        lines += [*step.request.lines(), *(step.answer.lines() if step.answer else ())]
        parts.append(step.curl)
    notes = [segment.note for line in lines for segment in line]
    return "\n".join([*parts, *map(plain, lines), *notes])


def test_tells_where_the_token_and_its_expiry_were_found():
    response = answer({"data": {"token": "tok-123456"}, "life": "90m"})

    report = report_on(tried(response, {"token_key": "data.token"}, token_response={"expires_in": "life"}))

    stored = {row.name: row.line[0] for row in report.stored}
    assert report.is_fine
    assert stored["Access token"].note == "10 characters, found at “data.token”"
    assert stored["Expires"].text == "2026-03-05 15:37:09 UTC"
    assert "found at “life”" in stored["Expires"].note
    assert "the token, 10 characters" in text_of(report)


@pytest.mark.parametrize(
    ("response", "definition", "said"),
    [
        (
            {"access_token": "tok-123456"},
            {},
            "nothing usable at “expires_in”; the token is kept until an API refuses it",
        ),
        ({"access_token": "tok-123456"}, {"default_lifetime": 60}, "default lifetime of 60 seconds counts"),
        ({**GOOD, "until": 1_900_000_000}, {"expires_at": "until"}, "found at “until”"),
    ],
)
def test_tells_what_counts_where_the_answer_gives_no_expiry(response, definition, said):
    trial = tried(answer(response), token_response=definition)

    assert said in trial.expiry()


def test_tells_where_else_a_token_stands():
    report = report_on(tried(answer({"result": {"accessToken": "tok-1234567890"}})))

    assert not report.is_fine
    assert "“result.accessToken”" in report.hints[0]
    assert "tok-1234567890" not in text_of(report)


def test_shows_what_an_api_request_carries():
    trial = tried(
        answer({**GOOD, "site": "https://eu.example.com"}),
        base_url="{{response.site}}",
        token_response={"keep": ["site"]},
        api_request={"query": {"client": "{{client_id}}"}},
    )

    rows = {row.name: row.line for row in report_on(trial).carried}

    assert plain(rows["Header Authorization"]) == "Bearer •••"
    assert rows["Query parameter client"][0].names == ("client_id",)
    assert rows["Base URL"][0].names[0] == "response.site"


def test_shows_a_request_that_nobody_answered():
    report = report_on(tried(ProviderUnavailable("No answer came.")))

    assert report.what == "No answer came."
    assert [step.answer for step in report.steps] == [None]


def test_shows_nothing_sent_where_a_value_is_missing():
    report = report_on(tried(answer(GOOD), {"client_id": ""}))

    assert report.steps == ()
    assert "Client ID" in report.what


def test_a_token_that_the_api_refuses_is_no_success():
    def provider(request):
        return answer({}, 403) if request.url.endswith("/me") else answer(GOOD)

    report = report_on(tried(provider, test_request={"url": "https://api.example.com/me"}))

    assert not report.is_fine
    assert "the API answers it with status 403" in report.what
    assert [step.title for step in report.steps] == ["Token request", "Test request"]
    assert report.stored


DEFINITIONS = [
    {},
    {"token_request": {"client_authentication": "client_secret_basic"}},
    {"token_request": {"client_authentication": "client_secret_basic", "basic_encoding": "raw"}},
    {"token_request": {"body_format": "json"}},
    {"token_request": {"method": "GET", "body_format": "none"}},
    {"token_request": {"client_authentication": "client_secret_jwt"}},
    {"token_request": {"client_authentication": "none", "url": "https://a.example/t?k={{client_secret}}"}},
    {"token_request": {"client_authentication": "none", "headers": {"X-S": "{{client_secret|sha256}}"}}},
    {
        "token_request": {
            "client_authentication": "none",
            "body_format": "text",
            "body": "<login><key>{{client_secret|xml}}</key></login>",
        }
    },
    {
        "token_request": {
            "client_authentication": "none",
            "headers": {"Authorization": 'Custom {{(client_id ~ ":" ~ client_secret)|base64}}'},
        }
    },
]
secrets = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=("L", "M", "N", "P", "S")), min_size=10, max_size=30
)


def echo(status, kind):
    def send(request):
        fields = " ".join(f"{name}={value}" for name, value in request.headers.fields)
        said = f"{request.url} {fields} {(request.body or b'').decode()}"
        if kind == "json":
            return answer(
                {"access_token": "", "error": "invalid_client", "debug": [said], "error_description": said}, status
            )
        if kind == "html":
            return answer(f"<p>{said}</p>".encode(), status, "text/html", X_Echo=request.url)
        return HttpResponse(status, Headers((("Content-Type", "text/plain"),)), unquote_plus(said).encode())

    return send


@pytest.mark.parametrize("parts", DEFINITIONS)
@settings(max_examples=25, deadline=None)
@for_all(secret=secrets, kind=st.sampled_from(["json", "html", "text"]), status=st.sampled_from([200, 400, 500]))
def test_no_secret_is_shown_whatever_a_provider_repeats(parts, secret, kind, status):
    # Words that stand there whatever the secret is, such as a header's name, are none.
    assume(secret not in text_of(report_on(tried(echo(status, kind), {"client_secret": "0123456789" * 3}, **parts))))
    trial = tried(echo(status, kind), {"client_secret": secret}, **parts)

    shown = text_of(report_on(trial)).replace("client_secret", "")

    assert secret not in shown
    assert json.dumps(secret)[1:-1] not in shown
    for done in trial.token:
        for sent in done.request.headers.all("Authorization"):
            assert sent.partition(" ")[2] not in shown
        for sent in done.request.headers.all("X-S"):
            assert sent not in shown


@pytest.mark.parametrize("secret", ['it\'s $(id) `id` \\ "x" !', "a\nb", "%s%25 ;&|", "ünï•"])
@pytest.mark.parametrize("format", ["form", "json", "none"])
def test_a_whole_command_says_the_request_to_a_shell(secret, format):
    method = method_of(token_request={"body_format": format, "method": "GET" if format == "none" else "POST"})
    request = first_request(method, given(method, client_secret=secret))

    printed = subprocess.run(
        ["sh", "-c", 'curl() { printf "%s\\0" "$@"; }\n' + curl(request, marker=None)],
        check=True,
        capture_output=True,
    ).stdout.decode()

    words = printed.split("\0")[:-1]
    headers = [words[index + 1] for index, word in enumerate(words) if word == "--header"]
    assert words[:4] == ["--request", request.method, "--url", request.url]
    assert headers == [f"{name}: {value}" for name, value in request.headers.fields]
    if request.body is not None:
        assert words[-2:] == ["--data-raw", request.body.decode()]


def test_a_covered_command_holds_no_secret():
    trial = tried(answer(GOOD), {"client_secret": "s3cr3t value!"})

    command = report_on(trial).steps[0].curl

    assert "s3cr3t" not in command
    assert "client_secret=•••" in command
    assert shlex.split(command.replace("\\\n", ""))[0] == "curl"


def test_a_command_says_no_more_than_the_request():
    request = HttpRequest("POST", "https://a.example/{x}", Headers((("X-Empty", ""),)), b"text")

    words = shlex.split(curl(request, marker=None).replace("\\\n", ""))

    assert "--globoff" in words
    assert "X-Empty;" in words
    assert "Content-Type:" in words


def test_a_client_certificate_is_told_of_and_its_key_is_not_shown():
    party = self_signed()
    multiline = {"format": "multiline"}
    method = method_of(
        token_request={
            "client_authentication": "self_signed_tls_client_auth",
            "tls": {"certificate": "{{certificate}}", "private_key": "{{private_key}}"},
        },
        variables=[{"key": "certificate", **multiline}, {"key": "private_key", "secret": True, **multiline}],
    )
    values = {"client_id": "the-id", "certificate": party.chain, "private_key": party.private_key}
    rendering = resolve(method, values, {}, now=datetime.now(UTC), uuid=ONE_UUID)

    trial = try_out(method, rendering, send=lambda request: answer(GOOD), clock=lambda: NOW)

    shown = text_of(report_on(trial))
    assert "the client certificate is presented" in shown
    assert "--cert certificate.pem" in shown
    assert "PRIVATE KEY" not in shown


@pytest.mark.parametrize(
    "first",
    [
        answer({"session_id": "hidden-1"}),
        answer({"deep": [{"ticket": "hidden-1"}]}),
        answer({}, Set_Cookie="SID=hidden-1; Path=/"),
        answer(b"<login><sessionKey>hidden-1</sessionKey></login>", content_type="application/xml"),
        answer(b"session=hidden-1", content_type="text/plain"),
    ],
)
def test_what_an_earlier_answer_hands_on_is_covered_in_later_requests(first):
    trial = tried(answer(GOOD))
    later = HttpRequest("POST", "https://a.example/?s=hidden-1", Headers((("X-S", "hidden-1"),)), b"s=hidden-1")
    trial = replace(trial, token=(Exchanged(trial.token[0].request, first), Exchanged(later, answer(GOOD))))

    assert "hidden-1" not in text_of(report_on(trial))


@pytest.mark.parametrize(
    "body",
    [
        b"eyJ" * 300_000,
        b"a" * 1_000_000,
        b"a1" * 500_000,
        b" + " * 300_000,
        b'token="' * 150_000,
        b"[" * 1_000_000,
        b'{"a":' * 940 + b"1" + b"}" * 940,
    ],
    ids=["jwt", "letters", "opaque", "spaces", "names", "nested", "deep"],
)
@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
def test_whatever_a_provider_sends_is_shown_soon(body, content_type):
    started = time.monotonic()

    report = report_on(tried(answer(body, content_type=content_type), {"client_secret": "a + b + c"}))

    assert time.monotonic() - started < 20  # seconds; it takes one at most where nobody else is at work
    assert len(text_of(report)) < 50_000


LOGIN = {
    "steps": [
        {
            "key": "login",
            "url": "https://auth.example.com/login",
            "keep": {"session": "cookie:SID", "api": "api"},
            "body": {"user": "{{client_id}}", "password": "{{client_secret}}"},
        }
    ],
    "token_request": {"client_authentication": "none", "headers": {"X-Session": "{{login.session}}"}, "body": {}},
    "api_request": {"headers": {"Cookie": "SID={{login.session}}", "X-T": "{{access_token}}"}},
    "base_url": "{{login.api}}",
    "test_request": {"url": "{{base_url}}/me"},
}
LOGGED_IN = answer({"api": "https://eu.example.com/v1"}, Set_Cookie="SID=the-session-of-ours; Path=/; Secure")


def after_login(token):
    return lambda request: LOGGED_IN if request.url.endswith("/login") else token


def test_shows_each_step_and_what_api_requests_carry_of_it_but_no_session():
    report = report_on(tried(after_login(answer(GOOD)), **LOGIN))

    assert report.is_fine
    assert [step.title for step in report.steps] == ["Step “login”", "Token request", "Test request"]
    carried = {row.name: plain(row.line) for row in report.carried}
    assert carried["Header Cookie"] == "SID=•••"
    assert carried["Base URL"]
    shown = text_of(report)
    for secret in ("the-session-of-ours", "the-secret", "tok-123456"):
        assert secret not in shown


def test_a_step_that_failed_is_named_and_nothing_is_made_of_its_answer():
    trial = tried(answer({"error": "invalid_client", "access_token": "tok-123456"}, 401), **LOGIN)

    report = report_on(trial)

    assert "step “login”" in report.what
    assert [step.title for step in report.steps] == ["Step “login”"]
    assert report.hints == ()
    assert (trial.answer, report.stored, report.carried) == (None, (), ())
    assert worth_trying(trial) == ()


def test_a_session_that_a_step_kept_is_covered_in_what_the_token_endpoint_repeats():
    said = {"error": "bad", "error_description": "no the-session-of-ours here"}

    shown = text_of(report_on(tried(after_login(answer(said, 400)), **LOGIN)))

    assert "the-session-of-ours" not in shown
    assert "“bad: no ••• here”" in shown
