"""`manage.py connectors draft`: what it prints, where, and its exit codes."""

import io
import json
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from connectors.models import Connector
from integrations.importing import check_files

CURL = "curl https://login.acme.test/token -u id:s3cr3t -d grant_type=client_credentials"
DESCRIPTION = {
    "openapi": "3.0.3",
    "info": {"title": "Acme"},
    "servers": [{"url": "https://api.acme.test"}],
    "components": {
        "securitySchemes": {
            "app": {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "https://api.acme.test/token", "scopes": {}}},
            }
        }
    },
}


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    call_command("connectors", "draft", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def description(tmp_path):
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(DESCRIPTION))
    return file


@pytest.mark.django_db
def test_prints_yaml_that_check_accepts_and_remarks_apart(description, tmp_path):
    out, err = run(str(description))

    drafted = tmp_path / "drafted.yaml"
    drafted.write_text(out)
    assert check_files([str(drafted)]).problems == []
    assert out.startswith("# Drafted from openapi.json.")
    assert "Please check: OpenAPI does not say how the client shows its ID and secret" in err
    assert not Connector.objects.exists()


def test_takes_a_curl_command_as_one_argument_and_keeps_no_secret():
    out, err = run(CURL)

    assert "client_authentication: client_secret_basic" in out
    assert "s3cr3t" not in out + err


def test_reads_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(CURL.encode())))

    out, _ = run("-")

    assert "https://login.acme.test/token" in out


def test_a_kind_can_be_forced(tmp_path):
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps({"token_endpoint": "https://login.acme.test/token", "openapi": "odd"}))

    out, _ = run(str(file), "--as", "issuer")

    assert "https://login.acme.test/token" in out


def test_what_is_still_to_fill_in_is_printed_and_told_by_the_exit_code(tmp_path):
    broken = json.loads(json.dumps(DESCRIPTION))
    del broken["components"]["securitySchemes"]["app"]["flows"]["clientCredentials"]["tokenUrl"]
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(broken))
    out, err = io.StringIO(), io.StringIO()

    with pytest.raises(CommandError) as refused:
        call_command("connectors", "draft", str(file), stdout=out, stderr=err)

    assert refused.value.returncode == 3
    assert "kind: connector" in out.getvalue()
    assert "Still to fill in: auth_methods[0].token_request.url" in err.getvalue()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("no/such/file.yaml", "can't be read: No such file"),
        ("curl https://a.test/t -F a=b", "multipart form"),
        ("https://127.0.0.1/openapi.json", "where requests may not go"),
        ("\0", "can't be read"),
    ],
)
def test_a_source_that_gives_no_draft_is_refused_in_words(source, why):
    with pytest.raises(CommandError, match=why) as refused:
        run(source)

    assert refused.value.returncode == 1


def test_an_empty_source_is_not_taken_for_the_folder():
    with pytest.raises(CommandError, match="SOURCE is empty: name a file"):
        run(" ")
