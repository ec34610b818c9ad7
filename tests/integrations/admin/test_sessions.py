"""Set-up sessions in the admin."""

import pytest
from django.contrib.auth.models import User

from connectors.models import Connector
from integrations import sessions
from integrations.models import Component, Integration, SessionPart
from tests.tenants.wizard.rows import make_method


@pytest.fixture
def made(db):
    zoom = Connector.objects.create(key="zoom", name="Zoom")
    make_method(zoom)
    crm = Integration.objects.create(key="crm-sync", name="CRM sync")
    Component.objects.create(integration=crm, name="meetings", connector=zoom)
    session, text = sessions.create(
        crm, tenant="acme", tenant_name="Acme Ltd", given={"meetings": {"client_secret": "s3cret-typed"}}
    )
    problem = {"code": "credentials_refused", "what": "It was refused.", "why": "", "remedy": "", "fields": {}}
    SessionPart.objects.update(problem=problem)
    return session, text


def test_the_list_and_the_page_say_how_far_it_is(made, admin_client):
    session, text = made

    listed = admin_client.get("/admin/integrations/session/")
    page = admin_client.get(f"/admin/integrations/session/{session.pk}/change/")

    assert "Acme Ltd" in listed.text
    assert "open" in listed.text
    assert "credentials_refused. It was refused." in page.text
    for hidden in (text, session.digest, "s3cret-typed"):
        assert hidden not in listed.text + page.text


def test_nobody_changes_one(made, admin_client):
    session, _ = made

    assert admin_client.get("/admin/integrations/session/add/").status_code == 403
    assert admin_client.post(f"/admin/integrations/session/{session.pk}/change/", {"state": "x"}).status_code == 403
    assert admin_client.post(f"/admin/integrations/session/{session.pk}/delete/", {"post": "yes"}).status_code == 403


def test_others_are_kept_out(made, client):
    session, _ = made

    assert client.get("/admin/integrations/session/").status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    for address in ("/admin/integrations/session/", f"/admin/integrations/session/{session.pk}/change/"):
        assert client.get(address).status_code == 403
