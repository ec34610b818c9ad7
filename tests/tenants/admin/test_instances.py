"""Instances are added and mended in the admin; the provider is asked at once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from connectors.models import AuthMethod, Connector, Variable
from integrations.models import Component, Integration
from tenants.models import Instance, InstanceValues, NextValues, Tenant, Token
from tests.admin_forms import form_in
from tests.tenants.wizard.rows import SECRET, TOKEN, make_instance, make_method
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET, ISSUED

ADD = "admin:tenants_instance_add"


def change(instance):
    return reverse("admin:tenants_instance_change", args=(instance.pk,))


def post(client, instance, changes, button="_save"):
    fields = form_in(client.get(change(instance)), "instance_form")
    return client.post(change(instance), {**fields, **changes, button: "1"}, follow=True)


def said(response):
    return " ".join(str(message) for message in response.context["messages"])


@pytest.fixture
def add_address(acme, method):
    return f"{reverse(ADD)}?tenant={acme.pk}&auth_method={method.pk}"


class TestAdding:
    def test_asks_first_whose_and_of_what(self, admin_client, acme, method):
        html = admin_client.get(reverse(ADD)).content.decode()

        assert "Acme Ltd" in html
        assert "Zoom: Client credentials" in html

    def test_connects_at_once_and_shows_the_expiry(self, admin_client, add_address):
        fields = form_in(admin_client.get(add_address), "instance_form")

        response = admin_client.post(
            add_address, {**fields, "v-client_id": "id", "v-client_secret": GOOD_SECRET}, follow=True
        )

        instance = Instance.objects.get()
        assert response.redirect_chain[-1][0] == change(instance)
        assert said(response).startswith("Valid access token, expires on")
        assert instance.status == "active"
        assert instance.filled_in.values == {"client_id": "id", "client_secret": GOOD_SECRET}

    def test_says_the_refusal_in_words_keeps_what_was_typed_and_stores_nothing(self, admin_client, add_address):
        typed = {"name": "EU", "v-client_id": "typed-id", "v-client_secret": BAD_SECRET}

        response = admin_client.post(add_address, {**form_in(admin_client.get(add_address), "instance_form"), **typed})

        html = response.content.decode()
        assert "Unknown client." in html
        assert form_in(response, "instance_form")["v-client_id"] == "typed-id"
        assert BAD_SECRET not in html
        assert not Instance.objects.exists()

    def test_says_what_is_missing_beside_its_field(self, admin_client, add_address, token_server):
        response = admin_client.post(add_address, {"v-client_id": "id"})

        assert "v-client_secret" in response.context["adminform"].form.errors
        assert token_server.requests == 0

    def test_an_unknown_method_leads_back_to_the_choice(self, admin_client, acme):
        response = admin_client.get(f"{reverse(ADD)}?tenant={acme.pk}&auth_method=999")

        assert "Select a valid choice" in response.content.decode()

    def test_asks_for_hidden_variables_too(self, admin_client, add_address, method):
        Variable.objects.create(auth_method=method, key="region", display="hidden", default="eu", position=9)
        AuthMethod.objects.touch()

        assert "v-region" in form_in(admin_client.get(add_address), "instance_form")


class TestMending:
    def test_shows_status_token_and_history_but_no_secret(self, admin_client, instance):
        html = admin_client.get(change(instance)).content.decode()

        assert "Set on" in html
        assert "Connected" in html
        assert SECRET not in html
        assert TOKEN not in html

    def test_get_access_token_asks_with_the_stored_values(self, admin_client, instance):
        values = instance.filled_in
        values.values = {"client_id": "the-client", "client_secret": GOOD_SECRET}
        values.save()

        response = post(admin_client, instance, {}, "_check")

        assert said(response).startswith("Valid access token, expires on")
        assert Token.objects.get(pk=instance.pk).bought.access_token == ISSUED
        assert ISSUED not in response.content.decode()

    def test_get_access_token_says_why_it_failed(self, admin_client, instance):
        response = post(admin_client, instance, {}, "_check")

        assert "Unknown client." in response.content.decode()
        assert "Valid access token, expires on" not in said(response)

    def test_new_values_take_the_old_ones_place_once_there_is_a_token(self, admin_client, instance):
        response = post(admin_client, instance, {"v-client_secret": GOOD_SECRET})

        instance.refresh_from_db()
        assert said(response).startswith("Valid access token")
        assert instance.filled_in.values == {"client_id": "the-client", "client_secret": GOOD_SECRET}
        assert instance.filled_in.set_at["client_id"].startswith("2026-03-01T12:00:00")

    def test_refused_values_leave_the_old_ones(self, admin_client, instance):
        response = post(admin_client, instance, {"v-client_secret": BAD_SECRET, "v-client_id": "other"})

        instance.refresh_from_db()
        assert instance.filled_in.values == {"client_id": "the-client", "client_secret": SECRET}
        assert form_in(response, "instance_form")["v-client_id"] == "other"
        assert BAD_SECRET not in response.content.decode()

    def test_a_new_name_alone_asks_nobody(self, admin_client, instance, token_server):
        post(admin_client, instance, {"name": "EU"})

        instance.refresh_from_db()
        assert instance.name == "EU"
        assert token_server.requests == 0

    def test_saving_without_a_change_asks_nobody(self, admin_client, instance, token_server):
        post(admin_client, instance, {})

        assert token_server.requests == 0

    def test_no_secret_reaches_the_history_of_the_admin(self, admin_client, instance):
        post(admin_client, instance, {"v-client_secret": GOOD_SECRET})

        entries = " ".join(entry.change_message for entry in LogEntry.objects.all())
        assert "Client secret" in entries
        assert GOOD_SECRET not in entries

    @pytest.mark.django_db(transaction=True)
    def test_no_transaction_is_open_while_the_provider_is_asked(self, admin_client, instance, monkeypatch):
        opened = []
        ask = "tenants.admin.instance.InstanceAdmin._ask"
        real = __import__("tenants.admin.instance", fromlist=["InstanceAdmin"]).InstanceAdmin._ask

        def watched(self, *args):
            opened.append(connection.in_atomic_block)
            return real(self, *args)

        monkeypatch.setattr(ask, watched)
        post(admin_client, instance, {"v-client_secret": GOOD_SECRET})

        assert opened == [False]

    def test_pauses_and_resumes(self, admin_client, instance):
        post(admin_client, instance, {}, "_pause")
        instance.refresh_from_db()
        paused = instance.status
        post(admin_client, instance, {}, "_resume")

        instance.refresh_from_db()
        assert (paused, instance.status) == ("paused", "active")

    def test_pauses_several(self, admin_client, instance):
        body = {"action": "pause_selected", "_selected_action": [str(instance.pk)]}

        admin_client.post(reverse("admin:tenants_instance_changelist"), body)

        instance.refresh_from_db()
        assert instance.status == "paused"


class TestRemoving:
    def test_says_what_reads_it_before_it_removes_it(self, admin_client, instance):
        integration = Integration.objects.create(key="crm", name="CRM sync")
        Component.objects.create(integration=integration, name="mail", connector=instance.connector)
        address = reverse("admin:tenants_instance_delete", args=(instance.pk,))

        asked = admin_client.get(address).content.decode()
        admin_client.post(address, {"post": "yes"})

        assert "CRM sync (mail)" in asked
        assert TOKEN not in asked
        assert not Instance.objects.exists()


class TestPermissions:
    @pytest.fixture
    def viewer(self, client, db):
        user = User.objects.create_user("viewer", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_instance"))
        client.force_login(user)
        return client

    def test_who_may_only_look_sees_the_status(self, viewer, instance):
        html = viewer.get(change(instance)).content.decode()

        assert "Get access token" not in html
        assert SECRET not in html

    @pytest.mark.parametrize("button", ["_save", "_check", "_pause"])
    def test_who_may_only_look_changes_nothing(self, viewer, instance, token_server, button):
        response = viewer.post(change(instance), {"name": "forged", button: "1", "v-client_secret": GOOD_SECRET})

        instance.refresh_from_db()
        assert response.status_code == 403
        assert (instance.name, instance.status) == ("", "active")
        assert token_server.requests == 0

    def test_who_may_only_look_has_no_actions_and_adds_nothing(self, viewer, instance, add_address):
        body = {"action": "pause_selected", "_selected_action": [str(instance.pk)]}
        viewer.post(reverse("admin:tenants_instance_changelist"), body)

        instance.refresh_from_db()
        assert instance.status == "active"
        assert viewer.get(add_address).status_code == 403


def test_the_list_costs_the_same_however_long_it_is(admin_client, method, django_assert_max_num_queries):
    for number in range(20):
        tenant = Tenant.objects.create(key=f"t{number}", name=f"T{number}")
        connector = Connector.objects.create(key=f"c{number}", name=f"C{number}")
        make_instance(tenant, make_method(connector))

    with django_assert_max_num_queries(14):
        response = admin_client.get(reverse("admin:tenants_instance_changelist"))

    assert response.status_code == 200
    assert TOKEN not in response.content.decode()


def test_an_expired_token_is_not_called_valid(admin_client, instance):
    Token.objects.filter(pk=instance.pk).update(expires_at=timezone.now() - timedelta(minutes=1))

    html = admin_client.get(change(instance)).content.decode()

    assert "The access token expired on" in html


def test_the_page_tells_of_the_next_secret_and_when_the_present_one_expires(admin_client, instance):
    at = datetime(2027, 1, 31, tzinfo=UTC)
    InstanceValues.objects.filter(pk=instance.pk).update(secret_expires_at=at)
    NextValues.objects.create(
        instance=instance,
        values={"client_secret": "the-next-one"},
        added_at=at,
        refused_at=at,
        refusal="Unknown client.",
    )

    page = admin_client.get(reverse("admin:tenants_instance_change", args=(instance.pk,))).content.decode()

    assert "31 Jan 2027" in page
    assert "Refused so far: Unknown client." in page
    assert "the-next-one" not in page
