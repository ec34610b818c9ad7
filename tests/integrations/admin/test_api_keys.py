"""API keys in the admin: shown once, hardly changed, revoked."""

import logging
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from integrations import keys
from integrations.models import ApiKey, Integration
from tenants.models import Tenant
from tests.admin_forms import form_in

ADD = "admin:integrations_apikey_add"
LIST = "admin:integrations_apikey_changelist"
TYPED = {"name": "CRM backend", "scopes": ["tokens:read"]}


@pytest.fixture
def crm(db):
    return Integration.objects.create(key="crm", name="CRM")


@pytest.fixture
def acme(db):
    return Tenant.objects.create(key="acme", name="Acme Ltd")


@pytest.fixture
def key(crm, acme):
    made, _ = keys.issue("backend", scopes=["tokens:read"], integration=crm, tenant=acme)
    return made


def staff(client, *verbs):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"{verb}_apikey" for verb in verbs]))
    client.force_login(user)
    return user


def at(view, key):
    return reverse(f"admin:integrations_apikey_{view}", args=(key.pk,))


def said(response):
    return " ".join(response.content.decode().split())


def use(key):
    keys.note_use(key, now=timezone.now())


def names_listed(client, **question):
    return {row.name for row in client.get(reverse(LIST), question).context["cl"].result_list}


def test_a_key_is_made_with_what_was_chosen_and_works(admin_client, crm, acme):
    later = {"expires_at_0": "2099-01-31", "expires_at_1": "12:00"}

    response = admin_client.post(reverse(ADD), {**TYPED, "integration": crm.pk, "tenant": acme.pk, **later})

    key = keys.find(response.context["text"])
    assert (key.name, key.scopes, key.integration, key.tenant) == ("CRM backend", ["tokens:read"], crm, acme)
    assert f"{key.expires_at:%Y-%m-%d %H:%M}" == "2099-01-31 12:00"
    assert "for the tenant Acme Ltd, until 31 Jan 2099, 12:00 UTC, with the scope tokens:read" in said(response)


def test_without_a_choice_a_key_is_offered_for_everything(admin_client, db):
    page = admin_client.get(reverse(ADD)).content.decode()

    assert "every integration</option>" in " ".join(page.split()).replace(" <", "<")
    assert "for every integration, for every tenant, without an expiry" in said(admin_client.post(reverse(ADD), TYPED))


def test_the_key_is_in_the_answer_to_its_making_and_nowhere_else(admin_client, caplog):
    caplog.set_level(logging.DEBUG)

    response = admin_client.post(reverse(ADD), TYPED)

    text = response.context["text"]
    assert response.status_code == 200
    assert response.content.decode().count(text) == 1
    assert "no-store" in response["Cache-Control"]
    secret = text[len(ApiKey.objects.get().prefix) :]
    assert not list(get_messages(response.wsgi_request))
    kept = [str(list(model.objects.values())) for model in (ApiKey, LogEntry)]
    kept += [str(session.get_decoded()) for session in Session.objects.all()]
    kept += [str(response.headers), str(response.cookies), caplog.text, str(vars(response.wsgi_request))]
    kept += [admin_client.get(reverse(LIST)).content.decode()]
    kept += [admin_client.get(at(view, ApiKey.objects.get())).content.decode() for view in ("change", "history")]
    assert not [place for place in kept if secret in place]


@pytest.mark.parametrize("button", ["_addanother", "_continue", "_save"])
def test_whatever_button_made_it_the_key_is_shown(admin_client, button):
    response = admin_client.post(reverse(ADD), {**TYPED, button: "1"})

    assert keys.find(response.context["text"]) == ApiKey.objects.get()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"name": " "}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"expires_at_0": "2001-01-01", "expires_at_1": "00:00"}, "expires_at"),
    ],
)
def test_what_makes_no_sense_makes_no_key(admin_client, wrong, field):
    response = admin_client.post(reverse(ADD), {**TYPED, **wrong})

    assert list(response.context["adminform"].form.errors) == [field]
    assert not ApiKey.objects.exists()


def test_only_the_name_of_a_key_changes(admin_client, key):
    before = ApiKey.objects.values().get()
    fields = form_in(admin_client.get(at("change", key)), "apikey_form")
    forged = {"scopes": ["instances:write"], "integration": "", "tenant": "", "prefix": "x", "digest": "x"}

    admin_client.post(at("change", key), {**fields, **forged, "name": "renamed", "expires_at_0": "2099-01-01"})

    assert ApiKey.objects.values().get() == {**before, "name": "renamed"}


def test_a_name_stays_one_line(admin_client, key):
    fields = form_in(admin_client.get(at("change", key)), "apikey_form")

    response = admin_client.post(at("change", key), {**fields, "name": "two\nlines"})

    assert list(response.context["adminform"].form.errors) == ["name"]
    assert ApiKey.objects.get().name == key.name


def test_revoking_asks_first(admin_client, key):
    for method in (admin_client.get, admin_client.post):
        assert "It can't be undone" in method(at("revoke", key)).content.decode()
    asked = admin_client.post(reverse(LIST), {"action": "revoke_selected", "_selected_action": [key.pk]})

    assert "It can't be undone" in asked.content.decode()
    assert list(ApiKey.objects.usable(timezone.now())) == [key]


def test_the_button_revokes_one_key_and_its_history_says_so(admin_client, key):
    other, _ = keys.issue("other")
    assert at("revoke", key) in admin_client.get(at("change", key)).content.decode()
    fields = form_in(admin_client.get(at("revoke", key)), "revoke_form")

    admin_client.post(at("revoke", key), {**fields, "_confirmed": "1"})

    assert list(ApiKey.objects.usable(timezone.now())) == [other]
    assert LogEntry.objects.get().change_message == "Revoked."
    assert at("revoke", key) not in admin_client.get(at("change", key)).content.decode()


def test_the_action_revokes_those_that_were_chosen(admin_client, key):
    chosen, left = keys.issue("chosen")[0], keys.issue("left")[0]
    confirmed = {"action": "revoke_selected", "_selected_action": [key.pk, chosen.pk], "_confirmed": "1"}

    admin_client.post(reverse(LIST), confirmed)

    assert list(ApiKey.objects.usable(timezone.now())) == [left]


def test_a_key_is_revoked_once(admin_client, key):
    keys.revoke(key, now=timezone.now() - timedelta(days=1))

    admin_client.post(at("revoke", key), {"_confirmed": "1"})

    assert ApiKey.objects.get().revoked_at == key.revoked_at
    assert not LogEntry.objects.exists()


def test_a_used_key_is_deleted_by_a_superuser_alone(client, admin_client, key):
    staff(client, "view", "change", "delete")
    unused, _ = keys.issue("unused")
    use(key)

    assert client.post(at("delete", key), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [key.pk], "post": "yes"}
    assert client.post(reverse(LIST), chosen).status_code == 403
    client.post(at("delete", unused), {"post": "yes"})
    assert list(ApiKey.objects.all()) == [key]
    admin_client.post(at("delete", key), {"post": "yes"})
    assert not ApiKey.objects.exists()


def test_who_may_only_look_changes_nothing(client, key):
    staff(client, "view")

    assert "/revoke/" not in client.get(at("change", key)).content.decode()
    assert client.post(reverse(ADD), TYPED).status_code == 403
    assert client.post(at("revoke", key), {"_confirmed": "1"}).status_code == 403
    client.post(reverse(LIST), {"action": "revoke_selected", "_selected_action": [key.pk], "_confirmed": "1"})

    assert list(ApiKey.objects.usable(timezone.now())) == [key]


@pytest.mark.parametrize("view", ["change", "revoke"])
def test_keeps_others_out(client, key, view):
    staff(client)

    assert client.get(at(view, key)).status_code == 403
    client.logout()
    assert client.get(at(view, key)).status_code == 302


def test_a_key_that_does_not_exist_is_not_found(admin_client, db):
    assert admin_client.get(reverse("admin:integrations_apikey_revoke", args=(404,))).status_code == 404


def test_keys_are_found_by_state_and_by_what_they_are_bound_to(admin_client, key):
    now = timezone.now()
    keys.issue("expired", expires_at=now - timedelta(days=1))
    keys.revoke(keys.issue("revoked", expires_at=now - timedelta(days=1))[0], now=now)

    assert names_listed(admin_client) == {"backend", "expired", "revoked"}
    assert names_listed(admin_client, state="usable") == {"backend"}
    assert names_listed(admin_client, state="expired") == {"expired"}
    assert names_listed(admin_client, state="revoked") == {"revoked"}
    assert names_listed(admin_client, q="acme") == {"backend"}
    assert names_listed(admin_client, integration__id__exact=key.integration_id) == {"backend"}


def test_a_longer_list_costs_no_more_queries(admin_client, key, crm, acme, django_assert_max_num_queries):
    for number in range(20):
        keys.issue(f"key {number}", integration=crm, tenant=acme)

    with django_assert_max_num_queries(12):
        admin_client.get(reverse(LIST))
