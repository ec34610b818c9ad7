"""Integrations and their components."""

import pytest
from django.urls import reverse

from connectors.models import AuthMethod, Connector
from integrations.models import Component, Integration
from tests.admin_forms import form_in


@pytest.fixture
def zoom(db):
    return Connector.objects.create(key="zoom", name="Zoom")


@pytest.fixture
def crm(zoom):
    integration = Integration.objects.create(
        key="crm", name="CRM", allowed_redirects=["https://app.example.com/"], stated=["allowed_redirects"]
    )
    Component.objects.create(integration=integration, name="meetings", connector=zoom)
    return integration


def save(client, integration, changes):
    address = reverse("admin:integrations_integration_change", args=(integration.pk,))
    fields = form_in(client.get(address), "integration_form")
    return client.post(address, {**fields, **changes})


def test_adds_an_integration_with_its_components(admin_client, zoom):
    address = reverse("admin:integrations_integration_add")
    fields = form_in(admin_client.get(address), "integration_form")

    response = admin_client.post(
        address,
        {
            **fields,
            "name": "CRM",
            "key": "crm",
            "allowed_redirects": "https://a.example.com/\r\nhttps://b.example.com/x\r\n",
            "components-TOTAL_FORMS": "1",
            "components-0-name": "meetings",
            "components-0-connector": zoom.pk,
        },
    )

    assert response.status_code == 302
    integration = Integration.objects.get()
    assert integration.allowed_redirects == ["https://a.example.com/", "https://b.example.com/x"]
    assert integration.components.get().name == "meetings"


def test_a_forged_post_changes_no_key_and_no_component_name(admin_client, crm):
    save(admin_client, crm, {"key": "forged", "components-0-name": "forged", "name": "New"})

    crm.refresh_from_db()
    assert (crm.name, crm.key, crm.components.get().name) == ("New", "crm", "meetings")


@pytest.mark.parametrize(
    ("field", "value"),
    [("allowed_redirects", "https://app.example.com"), ("allowed_origins", "https://app.example.com/x")],
)
def test_a_wrong_address_is_refused_beside_its_field(admin_client, crm, field, value):
    response = save(admin_client, crm, {field: value})

    assert field in response.context["adminform"].form.errors
    assert form_in(response, "integration_form")[field] == value


def test_a_method_of_another_connector_is_refused(admin_client, crm):
    other = Connector.objects.create(key="other", name="Other")
    method = AuthMethod.objects.create(connector=other, key="m", name="M", token_request={"url": "https://a.example/"})

    response = save(admin_client, crm, {"components-0-auth_method": method.pk})

    formset = response.context["inline_admin_formsets"][0].formset
    assert "is no method of Zoom" in str(formset.forms[0].errors["auth_method"])
