"""An administrator, and a connector with everything that a document can state."""

import pytest
from django.urls import reverse

from connectors.documents import connector_document, store_connector
from connectors.models import AuthMethod, Connector
from connectors.oauth2 import definition
from tests.admin_forms import form_in

DOCUMENT = {
    "kind": "connector",
    "key": "zoom",
    "name": "Zoom",
    "description": "Meetings,\nphone and webinars.\n",
    "base_url": "https://{{region}}.zoom.us/v2",
    "variables": [
        {
            "key": "region",
            "default": "api",
            "choices": ["api", {"value": "eu", "label": "Europe"}],
            "display": "editable",
        }
    ],
    "auth_methods": [
        {
            "key": "server-to-server",
            "name": "Server-to-server OAuth",
            "instructions": "1. Open the *Marketplace*.\n2. Copy.\n",
            "variables": [
                {"key": "grant_type", "default": "account_credentials"},
                {"key": "account_id", "label": "Account ID", "help_text": "On the page.\n", "required": True},
            ],
            "token_request": {
                "method": "POST",
                "url": "https://zoom.us/oauth/token",
                "client_authentication": "client_secret_basic",
                "query": {"a": ["1", "2"], "n": 1, "b": True, "gone": None},
                "headers": {"X-Version": "2", "Accept": None},
                "body": {"grant_type": "{{grant_type}}", "account_id": "{{account_id}}", "note": "two\nlines"},
            },
            "token_response": {
                "default_lifetime": 3600,
                "keep": ["api_url"],
                "error": ["error", "reason"],
                "errors": {"credentials": ["bad", 4700], "retry": []},
            },
            "api_request": {"query": {}},
            "refresh": {"early": 300, "on_body": {"ok": [False], "error": ["401", 401, None]}, "max_requests": "5/day"},
            "test_request": {"url": "{{base_url}}/users/me", "expect_status": [200, 204]},
        }
    ],
}


@pytest.fixture
def zoom(db):
    store_connector(definition.Connector.model_validate(DOCUMENT))
    return Connector.objects.get(key="zoom")


@pytest.fixture
def method(zoom):
    return zoom.auth_methods.get()


@pytest.fixture
def plain(zoom):
    """A method that states nothing but its token URL."""
    document = {
        **DOCUMENT,
        "key": "plain",
        "auth_methods": [{"key": "only", "name": "Only", "token_request": {"url": "https://auth.example.com/token"}}],
    }
    store_connector(definition.Connector.model_validate(document))
    return AuthMethod.objects.get(connector__key="plain")


@pytest.fixture
def page(admin_client):
    """Opens an object's page and sends its form with changes; None takes a field away."""

    class Page:
        client = admin_client

        def address(self, one):
            return reverse(f"admin:{one._meta.app_label}_{one._meta.model_name}_change", args=(one.pk,))

        def fields(self, one):
            response = self.client.get(self.address(one))
            assert response.status_code == 200
            return form_in(response, f"{one._meta.model_name}_form")

        def save(self, one, changes=None):
            fields = {**self.fields(one), **(changes or {})}
            fields = {name: value for name, value in fields.items() if value is not None}
            return self.client.post(self.address(one), {**fields, "_continue": "1"})

    return Page()


@pytest.fixture
def exported():
    def document(key):
        return connector_document(Connector.objects.with_definitions().get(key=key))

    return document
