"""`manage.py connectors`: import, check, export, schema."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from ruamel.yaml import YAML

from connectors.models import AuthMethod, Connector, Variable
from connectors.oauth2.definition import Section
from integrations.models import Component, Integration
from tenants.models import Instance, Tenant

SERVICE = """\
kind: connector
key: zoom
name: Zoom
auth_methods:
  - key: oauth
    name: OAuth
    token_request:
      url: https://zoom.us/oauth/token
"""
SYNC = """\
kind: integration
key: sync
name: Sync
allowed_redirects: [https://app.example.com/]
components:
  meetings:
    connector: zoom
    auth_method: oauth
  any:
    connector: zoom
    auth_method: null
"""
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes, name: str = "a.yaml") -> str:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return name

    return write


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("connectors", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> list[str]:
    """What is said on standard error, the last line being the command's own."""
    err = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("connectors", *arguments, stderr=err)
    assert error.value.returncode == 1
    return [*err.getvalue().splitlines(), str(error.value)]


def snapshot() -> list[object]:
    models: list[Any] = [Connector, AuthMethod, Variable, Integration, Component]
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.django_db
@pytest.mark.both_databases
class TestImport:
    def test_connectors_and_integrations_of_one_import_may_refer_to_each_other(self, write):
        imported = run("import", write(SYNC), write(SERVICE, "b.yaml"))

        assert imported.splitlines() == ["zoom: created", "sync: created"]
        assert run("export") == f"{SERVICE}---\n{SYNC}"

    def test_what_was_exported_changes_nothing(self, write):
        run("import", write(f"{SERVICE}---\n{SYNC}"))
        before = snapshot()

        imported = run("import", write(run("export")))

        assert imported.splitlines() == ["zoom: unchanged", "sync: unchanged"]
        assert snapshot() == before

    def test_an_integration_may_refer_to_a_connector_in_the_database(self, write):
        run("import", write(SERVICE))

        assert run("import", write(SYNC)) == "sync: created\n"

    def test_changes_are_named_by_their_place(self, write):
        run("import", write(f"{SERVICE}---\n{SYNC}"))
        changed = f"{SERVICE}---\n{SYNC}".replace("zoom.us/oauth", "zoom.com/oauth").replace("meetings:", "calls:")

        imported = run("import", write(changed))

        assert imported.splitlines() == [
            "zoom: changed (auth_methods.oauth: token_request.url)",
            "sync: changed (components.meetings, components.calls)",
        ]
        assert set(Component.objects.values_list("name", flat=True)) == {"calls", "any"}

    def test_one_wrong_file_keeps_all_from_being_stored_and_every_bad_file_is_named(self, write):
        good = write(SERVICE)
        wrong = write(SERVICE.replace("zoom\nname: Zoom", "other\nname: 3600").replace("url:", "ulr:"), "b.yaml")
        broken = write("kind: [", "c.yaml")

        said = refused("import", good, wrong, broken, "gone.yaml", ".")

        assert said == [
            'b.yaml:3:1: name: 3600 is a number. Write "3600" in quotes.',
            "b.yaml:7:5: auth_methods[0].token_request.url: The key `url` is missing. "
            "Add `url: …`. The token endpoint.",
            "b.yaml:8:7: auth_methods[0].token_request.ulr: Unknown key `ulr`. Did you mean url? "
            "Keys here: method, url, client_authentication, basic_encoding, query, headers, body_format, body, "
            "assertion, tls, dpop.",
            "c.yaml:1:8: A bracket or brace is never closed. Close it; placeholders belong in quotes.",
            "gone.yaml: The file can't be read: No such file or directory. Check its name and its permissions.",
            ".: The file can't be read: Is a directory. Check its name and its permissions.",
            "Nothing was imported: 6 problems in 4 files.",
        ]
        assert not Connector.objects.exists()

    def test_what_does_not_fit_together_is_told_with_its_line(self, write):
        said = refused("import", write(SERVICE.replace("zoom.us", "{{acount}}.zoom.us")))

        assert said[0].startswith("a.yaml:8:7: auth_methods[0].token_request.url: {{acount}} names nothing here.")

    def test_a_document_that_is_there_twice_is_refused(self, write):
        said = refused("import", write(SERVICE), write(f"{SYNC}---\n{SERVICE}", "b.yaml"))

        assert said[0].startswith("b.yaml:14:1: key: The connector zoom is there already, in a.yaml on line 2.")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("kind: conector\n", "a.yaml:1:1: kind: There is no kind “conector”. Did you mean connector?"),
            ("key: a\n", "a.yaml:1:1: The document doesn't say its kind. Add `kind: connector`"),
            ("- a\n", "a.yaml:1:1: A document is a mapping of keys to values."),
            (SERVICE + "variabels: []\n", "a.yaml:9:1: variabels: Unknown key `variabels`. Did you mean variables?"),
            (SYNC.replace("zoom", "zom"), "There is no connector zom, neither in this import nor in the database."),
        ],
    )
    def test_a_wrong_document_is_told_what_to_write(self, write, text, expected):
        assert any(expected in line for line in refused("import", write(text)))

    @pytest.mark.parametrize("value", ['"\\0"', "1e3", "!secret x", "{[}"])
    def test_a_value_that_cannot_be_read_is_told_of_once(self, write, value):
        said = refused("import", write(SERVICE + f"documentation_url: {value}\n"))

        assert len(said) == 2, said

    @pytest.mark.parametrize("kind", ["null", "true", "[connector]"])
    def test_a_kind_that_is_no_text_is_not_shown_as_python_would(self, write, kind):
        said = refused("import", write(f"kind: {kind}\n"))

        assert said[0].startswith("a.yaml:1:1: kind: The kind is no text. The kinds that exist: connector, integration")

    def test_a_reference_that_names_nothing_says_what_there_is(self, write):
        run("import", write(SERVICE))

        said = refused("import", write(SYNC.replace("zoom\n    auth_method: oauth", "zoom\n    auth_method: oaut")))

        assert said[0] == (
            "a.yaml:8:5: components.meetings.auth_method: The connector zoom has no authentication method oaut. "
            "Did you mean oauth? The names that exist: oauth."
        )

    def test_a_reference_to_a_wrong_connector_is_not_held_against_the_integration(self, write):
        said = refused("import", write(SERVICE.replace("url:", "ulr:") + "---\n" + SYNC))

        assert not [line for line in said if "components" in line]

    def test_a_method_goes_when_its_last_user_lets_go_of_it_in_the_same_import(self, write):
        both = f"{SERVICE}---\n{SYNC}"
        run("import", write(both))

        imported = run(
            "import", write(both.replace("oauth\n    name", "oauth2\n    name").replace(": oauth\n", ": oauth2\n"))
        )

        assert len(imported.splitlines()) == 2
        assert list(AuthMethod.objects.values_list("key", flat=True)) == ["oauth2"]

    def test_a_method_in_use_is_refused_with_the_count_of_its_users(self, write):
        run("import", write(SERVICE))
        tenant = Tenant.objects.create(key="acme", name="Acme")
        Instance.objects.create(tenant=tenant, auth_method=AuthMethod.objects.get())

        said = refused("import", write(SERVICE.replace("key: oauth", "key: other")))

        assert (
            "a.yaml:4:1: auth_methods: The method oauth is gone from the document, but 1 instance uses it." in said[0]
        )
        assert list(AuthMethod.objects.values_list("key", flat=True)) == ["oauth"]

    def test_standard_input_is_a_file_like_any_other(self, monkeypatch):
        class Input:
            buffer = io.BytesIO(SERVICE.encode())

        monkeypatch.setattr("sys.stdin", Input())

        assert run("import", "-") == "zoom: created\n"


@pytest.mark.django_db
class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "https://app.example.com/",
            "https://app.example.com:8443/done",
            "http://localhost:3000/",
            "http://127.0.0.1/",
        ],
    )
    def test_prefixes_that_can_match_one_host_only_are_taken(self, write, address):
        run("import", write(SERVICE))

        run("check", write(SYNC.replace("https://app.example.com/", address)))

    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("https://app.example.com", "other hosts could begin with it. Write https://app.example.com/."),
            ("http://app.example.com/", "http is for localhost only"),
            ("https://App.example.com/", "must be in lower case"),
            ("https://a@b.example.com/", "user name"),
            ("https://app.example.com/?a=b", "query"),
            ("/done", "must be an address"),
            ("javascript:alert(1)", "must be an address"),
        ],
    )
    def test_other_prefixes_are_refused(self, write, address, expected):
        run("import", write(SERVICE))

        said = refused("check", write(SYNC.replace("[https://app.example.com/]", f'["{address}"]')))

        assert said[0].startswith("a.yaml:4:21: allowed_redirects[0]: ")
        assert expected in said[0]

    @pytest.mark.parametrize(
        ("origin", "expected"),
        [
            ("https://app.example.com/", "Write https://app.example.com."),
            ("https://app.example.com/a", "Write https://app.example.com."),
            ("http://app.example.com", "http is for localhost only"),
            ("https://*.example.com", "The origin can't be used"),
            ("null", "The origin can't be used"),
        ],
    )
    def test_an_origin_is_scheme_host_and_port_alone(self, write, origin, expected):
        run("import", write(SERVICE))
        run("check", write(f"{SYNC}allowed_origins: [https://app.example.com, http://localhost:3000]\n"))

        said = refused("check", write(f'{SYNC}allowed_origins: ["{origin}"]\n'))

        assert expected in said[0]


@pytest.mark.django_db
class TestCheck:
    def test_a_right_file_is_not_stored(self, write):
        assert run("check", write(f"{SERVICE}---\n{SYNC}")) == "2 documents: nothing is wrong.\n"
        assert not Connector.objects.exists()

    def test_a_wrong_file_is_told(self, write):
        assert refused("check", write("kind: x"))[-1] == "The files can't be imported: 1 problem in 1 file."


@pytest.mark.django_db
class TestExport:
    def test_documents_come_in_the_same_order_always(self, write):
        run("import", write(SYNC), write(SERVICE + "---\n" + SERVICE.replace("zoom", "alpha", 1), "b.yaml"))

        keys = [document["key"] for document in YAML(typ="safe").load_all(run("export"))]

        assert keys == ["alpha", "zoom", "sync"]

    def test_single_documents_can_be_asked_for(self, write):
        run("import", write(f"{SERVICE}---\n{SYNC}"))

        assert run("export", "sync") == SYNC

    def test_an_unknown_key_is_told_and_nothing_is_printed(self, write):
        run("import", write(SERVICE))

        assert refused("export", "zom", "zoom") == [
            "There is no connector or integration “zom”. Did you mean zoom? The names that exist: zoom."
        ]

    def test_an_empty_database_exports_nothing(self):
        assert run("export") == ""


def kinds_of(model):
    """The names of everything that is built upon this."""
    below = model.__subclasses__()
    return {one.__name__ for one in below}.union(*map(kinds_of, below))


class TestSchema:
    def test_every_key_of_the_format_is_described(self):
        schema = json.loads(run("schema"))

        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        sections = {name: part for name, part in schema["$defs"].items() if "properties" in part}
        assert set(sections) == {name for name in kinds_of(Section) if not name.startswith("_")}
        for name, part in sections.items():
            assert part["additionalProperties"] is False, name
            # A reference is described where it leads to, unless more is to be said.
            silent = [key for key, value in part["properties"].items() if not value.keys() & {"description", "$ref"}]
            assert part["description"]
            assert silent == [], name

    def test_the_kind_tells_the_two_documents_apart(self):
        schema = json.loads(run("schema"))

        branches = [schema["$defs"][branch["$ref"].rpartition("/")[2]] for branch in schema["oneOf"]]

        assert [branch["properties"]["kind"]["const"] for branch in branches] == ["connector", "integration"]
        assert all("kind" in branch["required"] for branch in branches)
