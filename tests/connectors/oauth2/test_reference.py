"""What docs/definitions.md shows is true."""

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from connectors.oauth2.checks import check_connector
from connectors.oauth2.definition import SUPPLIED_KEYS, AuthMethod, Connector, Document, Section
from connectors.oauth2.templates import parse
from tests.connectors.oauth2.definitions import rendering

REFERENCE = (Path(__file__).parents[3] / "docs" / "definitions.md").read_text()
DOCUMENTS = re.findall(r"^```yaml\n(kind: .*?)^```", REFERENCE, re.DOTALL | re.MULTILINE)
RESULTS = re.findall(
    r"^\| `(.+?)` \| `(.+?)` \| ", REFERENCE.partition("14:07:09 UTC")[2].partition("**Which")[0], re.M
)


@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: text.split()[3])
def test_every_document_is_right(text):
    document = TypeAdapter(Document).validate_python(YAML(typ="safe").load(text))

    assert not isinstance(document, Connector) or check_connector(document) == []


def test_there_are_documents_and_results_to_look_at():
    assert len(DOCUMENTS) >= 9
    assert len(RESULTS) >= 15


@pytest.mark.parametrize(("template", "result"), RESULTS)
def test_every_template_renders_to_what_is_shown(template, result):
    values = {"shop": "Acme & Co", "scopes": "read, write", "empty": ""}

    assert parse(template.replace("\\|", "|")).render(rendering(**values)) == result


@pytest.mark.parametrize("section", Section.__subclasses__())
def test_every_key_is_explained(section):
    for name, field in section.model_fields.items():
        key = field.alias or name
        assert re.search(rf"`{key}`|`{key}:", REFERENCE) or key in REFERENCE.partition("## Recipes")[0], key


def test_every_supplied_variable_is_listed():
    assert AuthMethod.model_fields["type"].default in REFERENCE
    assert all(f"| `{key}` |" in REFERENCE for key in SUPPLIED_KEYS)
