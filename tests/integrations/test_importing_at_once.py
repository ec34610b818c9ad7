"""Two people store the same key for the first time, at the same moment: the one who comes second is told so."""

import pytest
from django.core.management import CommandError, call_command
from django.db.models.signals import pre_save

from connectors.documents import DocumentRefused, store_connector
from connectors.models import Connector
from connectors.oauth2 import definition
from integrations.models import Integration

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SERVICE = {
    "kind": "connector",
    "key": "zoom",
    "name": "Zoom",
    "auth_methods": [{"key": "oauth", "name": "OAuth", "token_request": {"url": "https://zoom.us/oauth/token"}}],
}
FILE = """\
kind: connector
key: zoom
name: Zoom
auth_methods:
  - key: oauth
    name: OAuth
    token_request:
      url: https://zoom.us/oauth/token
---
kind: integration
key: sync
name: Sync
components: {meetings: {connector: zoom}}
"""


@pytest.fixture(params=[Connector, Integration])
def somebody_else(request):
    """Stores a row of the same key after it was looked for, and before it is written."""

    def store(sender, instance, **_):
        if instance.pk is None:
            sender.objects.bulk_create([sender(key=instance.key, name="Somebody else's")])

    pre_save.connect(store, sender=request.param)
    yield request.param
    pre_save.disconnect(store, sender=request.param)


def test_an_import_that_comes_second_is_refused_as_a_whole(somebody_else, tmp_path, capsys):
    (tmp_path / "both.yaml").write_text(FILE)

    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("connectors", "import", str(tmp_path / "both.yaml"))

    assert "Somebody else stored the same, or deleted what it needs, at this very moment" in capsys.readouterr().err
    assert not Connector.objects.exists()


@pytest.mark.parametrize("somebody_else", [Connector], indirect=True)
@pytest.mark.usefixtures("somebody_else")
def test_a_document_that_comes_second_is_refused(db):
    with pytest.raises(DocumentRefused, match="at this very moment") as refused:
        store_connector(definition.Connector.model_validate(SERVICE))

    assert refused.value.__context__ is None
