"""`manage.py connectors try`: an exchange from the shell; nothing is stored, and no secret printed."""

import io

import pytest
from django.core.management import CommandError, call_command

from connectors.models import Connector
from connectors.oauth2.method import Method
from integrations.management.given_values import Terminal
from integrations.management.trying import chosen_method, run_trial
from tests.connectors.admin.providers import SECRET, TOKEN, running
from tests.connectors.oauth2.definitions import connector_of

pytestmark = pytest.mark.django_db
DOCUMENT = """\
kind: connector
key: {key}
name: Zoom
auth_methods:
  - key: oauth
    name: OAuth
    token_request: {{url: "{url}/token"}}
    test_request: {{url: "{url}/me"}}
    {more}
"""


@pytest.fixture
def provider(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as server:
        server.wants = "post"
        yield server


@pytest.fixture
def file(tmp_path, monkeypatch, provider):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text(f"{SECRET}\n")

    def write(more="", keys=("zoom",)):
        documents = [DOCUMENT.format(key=key, url=provider.url, more=more) for key in keys]
        (tmp_path / "a.yaml").write_text("---\n".join(documents))
        return "a.yaml"

    return write


def run(*arguments, secret="--set-file=client_secret=secret"):
    out = io.StringIO()
    error = ""
    try:
        call_command("connectors", "try", *arguments, "--set=client_id=the-id", secret, stdout=out)
    except CommandError as refused:
        error = str(refused)
    return out.getvalue(), error


def test_shows_everything_and_stores_nothing(file, provider):
    printed, error = run(file(), "--method=oauth")

    assert error == ""
    assert "&client_secret=•••   ← {{client_secret}}" in printed
    assert "the token, 14 characters" in printed
    assert "Header Authorization: Bearer •••   ← {{access_token}}" in printed
    assert "Works: A token was issued, and the API accepts it." in printed
    assert not Connector.objects.exists()
    assert not any(secret in printed for secret in ("s3cr3t", TOKEN))


def test_a_failure_says_why_and_ends_with_an_error(file, provider):
    provider.wants = "basic"

    printed, error = run(file(), "--method=oauth")

    assert "Failed: The provider refused the request with status 401" in printed
    assert "--alternatives tries 5 other ways" in printed
    assert "s3cr3t" not in printed
    assert error == "No token that works was issued."


def test_finds_the_way_that_works(file, provider):
    provider.wants = "basic"

    printed, error = run(file(), "--method=oauth", "--alternatives")

    assert error == ""
    assert "  client_authentication: client_secret_basic" in printed


def test_prints_the_command_covered_or_on_request_whole(file, provider):
    covered, _ = run(file(), "--curl")
    provider.asked.clear()
    whole, _ = run(file(), "--curl", "--show-secrets")

    assert "client_secret=•••" in covered
    assert "s3cr3t" not in covered
    assert whole.startswith("curl ")
    assert "client_secret=s3cr3t%3Av%40lue%2F%2B+%25" in whole
    assert provider.asked == []
    assert "goes with --curl" in run(file(), "--show-secrets")[1]


def test_a_kind_of_token_that_kills_the_old_one_needs_a_yes(file, provider):
    name = file("refresh: {invalidates_previous: true}")

    refused = run(name)[1]
    accepted = run(name, "--yes")[1]

    assert "Add --yes" in refused
    assert accepted == ""
    assert len(provider.asked) == 1


def test_counts_against_the_budget(file, provider):
    name = file("refresh: {max_requests: 1/day}")

    first, _ = run(name)
    second, error = run(name)

    assert "this counted as one" in first
    assert "they are spent" in second
    assert error
    assert len(provider.asked) == 1


def test_a_file_with_problems_is_not_tried(file, provider):
    assert "Nothing was sent: 1 problem" in run(file("nonsense: 1"))[1]
    assert provider.asked == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--method=other"], "The file holds no method other."),
        (["--connector=other"], "The file holds no connector other."),
        (["--set=nothing=1"], "There is no variable nothing. The names that exist: client_id,"),
        (["--set=clientid=1"], "There is no variable clientid. Did you mean client_id?"),
        (["--set==1"], "One of them has no name before the “=”."),
        (["--set-file=client_secret=missing"], "The file “missing” can't be read."),
        (["--set-file=client_secret="], "The file “” can't be read."),
        (["--set-file=client_secret=-", "--set-file=client_id=-"], "Standard input can be read only once."),
        (["--set-env=client_secret=NOT_THERE"], "The environment has no variable NOT_THERE."),
    ],
)
def test_says_what_can_t_be_tried(file, provider, arguments, said):
    assert said in run(file(), *arguments)[1]
    assert provider.asked == []


def test_says_how_to_give_what_is_missing_where_nobody_can_be_asked(file, provider):
    _, error = run(file(), secret="--set=scope=")

    assert error == "Nothing was sent: Client secret has no value. Add --set-file client_secret=PATH"
    assert provider.asked == []


def test_the_document_and_a_secret_cannot_both_come_from_standard_input(file, provider):
    assert "Standard input can be read only once." in run("-", secret="--set-file=client_secret=-")[1]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("kind: connector\nkey: a\nname: A\n", "The file holds no method. Add one to `auth_methods`."),
        ("kind: integration\nkey: a\nname: A\n", "The file holds no connector. Name one that holds a document of"),
    ],
)
def test_a_file_without_anything_to_try_says_what_to_add(tmp_path, document, said):
    (tmp_path / "a.yaml").write_text(document)

    assert said in run(str(tmp_path / "a.yaml"), secret="--set=scope=")[1]


def test_a_value_without_a_name_is_not_repeated(file, provider):
    assert SECRET not in run(file(), secret=f"--set={SECRET}")[1]


def test_of_several_connectors_one_is_chosen(file, provider):
    name = file(keys=("zoom", "zoom2"))

    assert "choose one with --connector" in run(name)[1]
    assert run(name, "--connector=zoom2")[1] == ""


def test_reads_a_secret_from_the_environment(file, provider, monkeypatch):
    monkeypatch.setenv("ZOOM_SECRET", SECRET)

    assert run(file(), secret="--set-env=client_secret=ZOOM_SECRET")[1] == ""


def test_asks_on_a_terminal_for_what_is_missing(provider):
    connector = connector_of(token_request={"url": f"{provider.url}/token"})
    method = Method(connector, connector.auth_methods[0])
    asked = []

    def answering(value):
        return lambda question: asked.append(question) or value

    options = {name: [] for name in ("values", "files", "names_of_environment")}
    options |= dict.fromkeys(("curl", "show_secrets", "alternatives", "yes"), False)
    worked, _ = run_trial(
        method, options, terminal=Terminal(is_there=True, ask=answering("the-id"), ask_secret=answering(SECRET))
    )

    assert worked
    assert asked == ["Client ID: ", "Client secret: "]


def test_what_a_provider_sends_does_not_steer_the_terminal(provider):
    connector = connector_of(token_request={"url": f"{provider.url}/token"}, instructions="")
    provider.said = "\u202egnirts"

    method = chosen_method([connector], None, None)
    options = {"values": ["client_id=the-id", f"client_secret={SECRET}"], "files": [], "names_of_environment": []}
    options |= dict.fromkeys(("curl", "show_secrets", "alternatives", "yes"), False)
    _, lines = run_trial(method, options, terminal=Terminal(is_there=False))

    shown = "".join(lines)
    assert "?gnirts" in shown
    assert "\u202e" not in shown
