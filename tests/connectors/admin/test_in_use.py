"""What is in use can't be deleted, and says why; who may look may not change."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from connectors.models import AuthMethod, Connector
from integrations.models import Component, Integration
from tenants.models import Instance, Tenant


@pytest.fixture
def instance(plain):
    tenant = Tenant.objects.create(key="acme", name="Acme")
    return Instance.objects.create(tenant=tenant, auth_method=plain)


def test_a_method_shows_how_many_instances_use_it(page, plain, instance):
    html = page.client.get(page.address(plain)).content.decode()

    assert f"{reverse('admin:tenants_instance_changelist')}?auth_method__id__exact={plain.pk}" in html
    assert "1 instance<" in html


@pytest.mark.parametrize("confirmed", [{}, {"post": "yes"}])
def test_a_method_in_use_is_not_deleted_and_the_reason_is_told(page, plain, instance, confirmed):
    response = page.client.post(reverse("admin:connectors_authmethod_delete", args=(plain.pk,)), confirmed)

    assert "is used by" in response.content.decode()
    assert AuthMethod.objects.filter(pk=plain.pk).exists()


@pytest.mark.parametrize("model", ["authmethod", "connector"])
def test_nothing_in_use_is_deleted_in_bulk(page, plain, instance, model):
    pk = plain.pk if model == "authmethod" else plain.connector_id
    body = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}

    response = page.client.post(reverse(f"admin:connectors_{model}_changelist"), body)

    assert "is used by" in response.content.decode()
    assert AuthMethod.objects.filter(pk=plain.pk).exists()


def test_a_connector_read_by_an_integration_is_not_deleted(page, plain):
    integration = Integration.objects.create(key="crm", name="CRM sync")
    Component.objects.create(integration=integration, name="mail", connector=plain.connector)

    response = page.client.post(
        reverse("admin:connectors_connector_delete", args=(plain.connector_id,)), {"post": "yes"}
    )

    assert "CRM sync" in response.content.decode()
    assert Connector.objects.filter(pk=plain.connector_id).exists()


def test_a_method_that_nothing_uses_is_deleted(page, plain):
    page.client.post(reverse("admin:connectors_authmethod_delete", args=(plain.pk,)), {"post": "yes"})

    assert not AuthMethod.objects.filter(pk=plain.pk).exists()


def test_who_may_only_look_sees_everything_and_changes_nothing(client, page, method, exported):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_authmethod", "view_variable"]))
    client.force_login(user)
    before = exported("zoom")

    html = client.get(page.address(method)).content.decode()
    refused = client.post(page.address(method), {"name": "Forged", "token_url": "https://evil.example.com/"})

    assert "https://zoom.us/oauth/token" in html
    assert "{{account_id}}" in html
    assert refused.status_code == 403
    assert exported("zoom") == before


@pytest.mark.parametrize(
    "name", ["connectors_connector_changelist", "connectors_authmethod_changelist", "connectors_authmethod_add"]
)
def test_a_stranger_sees_nothing(client, db, name):
    client.force_login(User.objects.create_user("stranger", is_staff=True))

    assert client.get(reverse(f"admin:{name}")).status_code == 403


@pytest.mark.parametrize("model", ["connector", "authmethod"])
def test_a_list_costs_the_same_however_long_it_is(page, plain, django_assert_max_num_queries, model):
    for number in range(20):
        connector = Connector.objects.create(key=f"c{number}", name=f"C{number}", logo=b"x" * 60_000)
        AuthMethod.objects.create(connector=connector, key="m", name="M", token_request={"url": "https://a.example/"})

    with django_assert_max_num_queries(12):
        response = page.client.get(reverse(f"admin:connectors_{model}_changelist"))

    assert response.status_code == 200
    assert b"x" * 100 not in response.content
