"""An import that breaks instances: refused with the reasons, by the command and in the admin, until it is confirmed."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from connectors.documents import store_connector
from connectors.models import Connector
from connectors.oauth2 import definition
from tenants.models import Instance, InstanceValues, Tenant, Token
from tests.admin_forms import form_in

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
ASKS_MORE = SERVICE.replace("    token_request:", "    variables:\n      - key: account_id\n    token_request:")
REASON = "The definition now asks for Account id, which this instance has no value for."
IMPORT = "admin:integrations_integration_import"


@pytest.fixture
def instance(db):
    store_connector(
        definition.Connector.model_validate(
            {
                "kind": "connector",
                "key": "zoom",
                "name": "Zoom",
                "auth_methods": [
                    {"key": "oauth", "name": "OAuth", "token_request": {"url": "https://zoom.us/oauth/token"}}
                ],
            }
        )
    )
    tenant = Tenant.objects.create(key="acme", name="Acme")
    method = Connector.objects.get().auth_methods.get()
    instance = Instance.objects.create(tenant=tenant, auth_method=method, status="active")
    InstanceValues.objects.create(instance=instance, values={"client_id": "id", "client_secret": "s"})
    Token.objects.create(instance=instance)
    return instance


@pytest.fixture
def file(tmp_path):
    (tmp_path / "zoom.yaml").write_text(ASKS_MORE)
    return str(tmp_path / "zoom.yaml")


def test_the_command_refuses_and_says_whom_it_would_break_and_how_to_go_on(instance, file):
    errors = io.StringIO()

    with pytest.raises(CommandError, match=r"Nothing was imported\. The change would break 1 instance\..*--break-inst"):
        call_command("connectors", "import", file, stderr=errors)

    assert f"Zoom of Acme: {REASON}" in errors.getvalue()
    assert not instance.auth_method.variables.filter(key="account_id").exists()


def test_the_command_does_it_when_told_so_and_says_what_it_did(instance, file):
    out = io.StringIO()

    call_command("connectors", "import", file, "--break-instances", stdout=out)

    instance.refresh_from_db()
    assert instance.status == "action_required"
    assert out.getvalue().startswith("zoom: changed (auth_methods.oauth: variables)\n  OAuth: New and required")
    assert REASON in out.getvalue()


def test_the_page_asks_with_the_text_kept_and_imports_once_it_is_confirmed(admin_client, instance, file):
    with open(file, "rb") as chosen:
        refused = admin_client.post(reverse(IMPORT), {"file": chosen})
    kept = Instance.objects.get().status
    fields = form_in(refused, "import_form")

    done = admin_client.post(reverse(IMPORT), {**fields, "break_instances": refused.context["would_break"].fingerprint})

    assert REASON in refused.content.decode().replace("&#x27;", "'")
    assert kept == "active"
    assert done.status_code == 302
    instance.refresh_from_db()
    assert instance.status == "action_required"
    assert instance.events.get().actor.username == "admin"
