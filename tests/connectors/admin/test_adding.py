"""An administrator makes a connector and a method without reading YAML, and without scripts."""

import re

import pytest
from django.urls import reverse

from connectors.models import AuthMethod, Connector
from connectors.oauth2.definition import SUPPLIED_VARIABLES
from tests.admin_forms import form_in

ADD = {"name": "Machine", "key": "machine", "type": "oauth2_client_credentials"}


def add(page, connector, **fields):
    body = {**ADD, "connector": connector.pk, "token_url": "https://auth.example.com/token", **fields}
    return page.client.post(reverse("admin:connectors_authmethod_add"), body, follow=True)


def test_choosing_the_type_fills_in_variables_header_and_body(page, zoom):
    response = add(page, zoom)

    fields = form_in(response, "authmethod_form")
    method = AuthMethod.objects.get(key="machine")
    assert response.redirect_chain[-1][0].startswith(page.address(method))
    for index, supplied in enumerate(SUPPLIED_VARIABLES):
        row = method.variables.get(key=supplied.key)
        assert (row.label, row.default, row.required, row.secret, row.display) == (
            supplied.label,
            supplied.default,
            supplied.required,
            supplied.secret,
            supplied.display,
        )
        assert fields[f"variables-{index}-label"] == supplied.label
        assert fields[f"variables-{index}-default"] == supplied.default
    assert (fields["headers-0-name"], fields["headers-0-value"]) == (
        "Content-Type",
        "application/x-www-form-urlencoded",
    )
    assert (fields["body-0-name"], fields["body-0-value"]) == ("grant_type", "{{grant_type}}")
    assert (fields["body-1-name"], fields["body-1-value"]) == ("scope", "{{scope}}")
    assert (fields["request_method"], fields["client_authentication"]) == ("POST", "client_secret_post")
    assert (fields["api_headers-0-name"], fields["api_headers-0-value"]) == ("Authorization", "Bearer {{access_token}}")
    assert fields["access_token_path"] == "{{token_key}}"


def test_a_wrong_token_url_is_refused_beside_its_field_and_nothing_is_stored(page, zoom):
    response = add(page, zoom, token_url="https://{{tenant}}.example.com/token")

    assert "{{tenant}} names nothing here" in str(response.context["adminform"].form.errors["token_url"])
    assert form_in(response, "authmethod_form")["token_url"] == "https://{{tenant}}.example.com/token"
    assert not AuthMethod.objects.filter(key="machine").exists()


def test_a_key_that_is_taken_is_refused(page, method):
    response = add(page, method.connector, key="server-to-server")

    assert "key" in response.context["adminform"].form.errors


def test_adds_a_connector(page, db):
    response = page.client.post(
        reverse("admin:connectors_connector_add"),
        {"name": "Twitch", "key": "twitch", "base_url": "https://api.twitch.tv/helix", "_continue": "1"},
        follow=True,
    )

    connector = Connector.objects.get(key="twitch")
    assert response.status_code == 200
    assert f"{reverse('admin:connectors_authmethod_add')}?connector={connector.pk}" in response.content.decode()


def test_a_wrong_base_url_of_a_new_connector_is_refused_beside_its_field(page, db):
    response = page.client.post(
        reverse("admin:connectors_connector_add"), {"name": "X", "key": "x", "base_url": "ftp://example.com"}
    )

    assert "base_url" in response.context["adminform"].form.errors
    assert not Connector.objects.exists()


def test_a_variable_is_added_without_scripts(page, method):
    saved = page.client.post(page.address(method), {**page.fields(method), "_continue": "blank-row"})
    last = method.variables.count()
    fields = form_in(page.client.get(saved.url), "authmethod_form")
    page.client.post(saved.url, {**fields, f"variables-{last}-key": "audience", "_continue": "1"})

    assert fields[f"variables-{last}-key"] == ""
    assert method.variables.filter(key="audience").count() == 1
    assert f"variables-{last + 1}-key" not in page.fields(method)


def test_a_blank_row_that_stays_blank_adds_nothing(page, method):
    address, before = f"{page.address(method)}?blank-row", method.variables.count()
    fields = form_in(page.client.get(address), "authmethod_form")

    response = page.client.post(address, {**fields, "_save": "1"})

    assert response.status_code == 302
    assert method.variables.count() == before


@pytest.mark.parametrize("kind", ["connector", "method"])
def test_enter_saves_without_scripts_too(page, method, kind):
    """A browser that is told to send a form presses its first button."""
    shown = page.client.get(page.address(method if kind == "method" else method.connector)).content.decode()
    form = shown[shown.index('method="post"', shown.index('id="content-main"')) :]

    first = re.search(r'<button[^>]*type="submit"[^>]*>', form)

    assert 'name="_continue" value="1"' in first[0] or 'name="_save"' in first[0]
