"""Definitions in and out of the admin as YAML, by the commands' own code."""

from io import BytesIO

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from connectors.models import Connector
from integrations.models import Component, Integration
from tests.admin_forms import form_in

IMPORT = "admin:integrations_integration_import"
TEXT = """kind: connector
key: zoom
name: Zoom
auth_methods:
  - key: s2s
    name: Server-to-server
    token_request:
      url: https://zoom.us/oauth/token
---
kind: integration
key: crm
name: CRM
components:
  meetings:
    connector: zoom
"""


def test_imports_a_text_and_exports_the_same(admin_client):
    admin_client.post(reverse(IMPORT), {"text": TEXT})

    connector, integration = Connector.objects.get(), Integration.objects.get()
    exported = [
        admin_client.post(reverse(name), {"action": "export_yaml", "_selected_action": [pk]})
        for name, pk in (
            ("admin:connectors_connector_changelist", connector.pk),
            ("admin:integrations_integration_changelist", integration.pk),
        )
    ]
    assert "---\n".join(answer.content.decode() for answer in exported) == TEXT
    assert exported[0]["Content-Disposition"] == 'attachment; filename="zoom.yaml"'


def test_imports_a_file(admin_client):
    file = BytesIO(TEXT.encode())
    file.name = "zoom.yaml"

    admin_client.post(reverse(IMPORT), {"file": file})

    assert Component.objects.get().connector.key == "zoom"


def test_a_wrong_document_is_refused_with_its_line_and_kept(admin_client):
    wrong = TEXT.replace("url: https", "uri: https")

    response = admin_client.post(reverse(IMPORT), {"text": wrong})

    assert "Unknown key `uri`" in response.content.decode()
    assert response.context["problems"][0][0].isdigit()
    assert form_in(response, "import_form")["text"].replace("\r\n", "\n") == wrong
    assert not Connector.objects.exists()


def test_nothing_at_all_is_refused(admin_client):
    assert "Choose a file or paste" in admin_client.post(reverse(IMPORT), {"text": " "}).content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_takes_every_permission_that_an_import_needs(client, db, method):
    user = User.objects.create_user("almost", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename="delete_authmethod"))
    client.force_login(user)

    response = getattr(client, method)(reverse(IMPORT), {"text": TEXT})

    assert response.status_code == 403
    assert not Connector.objects.exists()


@pytest.mark.parametrize(
    ("view", "title"),
    [
        (IMPORT, "Import YAML"),
        ("admin:integrations_integration_add", "Integrations"),
        ("admin:integrations_apikey_changelist", "API keys"),
    ],
)
def test_the_sidebar_marks_the_page_that_is_open_and_no_other(admin_client, view, title):
    groups = admin_client.get(reverse(view)).context["sidebar_navigation"]

    assert [item["title"] for group in groups for item in group["items"] if item["active"]] == [title]
