"""Webhook endpoints and deliveries in the admin: secrets shown once, test events, sending again; others kept out."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook

from integrations.models import Integration, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import endpoints
from tests.admin_forms import form_in
from tests.integrations.webhooks.receiver import receiver

ADD = "admin:integrations_webhookendpoint_add"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def host(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as server:
        yield server


@pytest.fixture
def endpoint(db, host):
    row = WebhookEndpoint.objects.create(url=host.url, description="The host")
    row.secret = endpoints.add_secret(row)
    return row


@pytest.fixture
def admin(client, db):
    client.force_login(User.objects.create_superuser("root"))
    return client


def staff(client, *codenames):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)


def of_endpoint(view, endpoint):
    return reverse(f"admin:integrations_webhookendpoint_{view}", args=(endpoint.pk,))


def of_delivery(view, delivery):
    return reverse(f"admin:integrations_webhookdelivery_{view}", args=(quote(delivery.pk),))


def text(response):
    return " ".join(response.content.decode().split())


def test_an_endpoint_is_made_with_a_secret_that_is_shown_once(admin):
    form = form_in(admin.get(reverse(ADD)), "webhookendpoint_form")
    typed = {**form, "description": "Host", "url": "https://app.example.com/hooks", "types": ["instance.removed"]}

    response = admin.post(reverse(ADD), typed)

    row = WebhookEndpoint.objects.get()
    [shown] = SECRET.findall(text(response))
    assert "no-store" in response["Cache-Control"]
    assert [secret.value for secret in row.secrets.all()] == [shown]
    assert (row.types, row.is_enabled) == (["instance.removed"], True)
    assert not SECRET.search(text(admin.get(of_endpoint("change", row))))
    assert not any(SECRET.search(str(session.get_decoded())) for session in Session.objects.all())
    assert not any(SECRET.search(entry.change_message) for entry in LogEntry.objects.all())


@pytest.mark.parametrize(
    "url", ["ftp://app.example.com/", "https://user:pw@app.example.com/", "https://app.example.com/#x", "hooks"]
)
def test_an_address_that_nothing_can_be_sent_to_is_refused(admin, url):
    admin.post(reverse(ADD), {"url": url, "is_enabled": "on"})

    assert not WebhookEndpoint.objects.exists()


def test_disabling_and_enabling_says_since_when_and_starts_anew(admin, endpoint):
    WebhookEndpoint.objects.update(failures=7, failing_since=timezone.now() - timedelta(days=6))
    page = of_endpoint("change", endpoint)
    form = form_in(admin.get(page), "webhookendpoint_form")
    admin.post(page, {name: value for name, value in form.items() if name != "is_enabled"})
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "An administrator disabled it.")
    assert "Disabled since" in text(admin.get(page))

    admin.post(page, {**form, "is_enabled": "on"})

    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_at, endpoint.failures) == (True, None, 0)


def test_a_test_event_is_sent_at_once_and_its_outcome_shown(admin, endpoint, host):
    response = admin.post(of_endpoint("test", endpoint), follow=True)

    _, headers, body = host.requests[0]
    assert Webhook(endpoint.secret).verify(body, headers)["type"] == "webhook.test"
    assert "The test event was delivered." in text(response)


def test_a_test_event_that_is_not_taken_says_why(admin, endpoint, host):
    host.answers = [(500, {}, b"<b>out of order</b>")]

    shown = text(admin.post(of_endpoint("test", endpoint), follow=True))

    assert "It answered 500." in shown
    assert "&lt;b&gt;out of order&lt;/b&gt;" in shown


def test_a_delivery_is_sent_again_from_its_page(admin, endpoint, host):
    delivery = endpoints.add_test(endpoint)
    WebhookDelivery.objects.update(state="failed", next_attempt_at=None)

    response = admin.post(of_delivery("again", delivery), follow=True)

    assert "It was delivered." in text(response)
    assert host.requests[0][1]["webhook-id"] == delivery.pk


def test_several_deliveries_are_queued_again_from_the_list(admin, endpoint):
    for _ in range(3):
        endpoints.add_test(endpoint)
    WebhookDelivery.objects.update(state="failed", next_attempt_at=None)
    chosen = list(WebhookDelivery.objects.values_list("pk", flat=True))

    admin.post(
        reverse("admin:integrations_webhookdelivery_changelist"),
        {"action": "send_selected_again", "_selected_action": chosen},
    )

    assert WebhookDelivery.objects.pending().count() == 3


def test_to_a_disabled_endpoint_nothing_is_sent_again(admin, endpoint, host):
    delivery = endpoints.add_test(endpoint)
    endpoints.disable(endpoint, "Gone.", timezone.now())

    shown = text(admin.post(of_delivery("again", delivery), follow=True))

    assert "Enable it first" in shown
    assert host.requests == []


@pytest.mark.parametrize(("hours", "signing"), [("24", 2), ("0", 1)])
def test_a_new_secret_is_shown_once_beside_the_old_one(admin, endpoint, hours, signing):
    response = admin.post(of_endpoint("rotate", endpoint), {"hours": hours})

    [shown] = SECRET.findall(text(response))
    assert endpoint.secrets_in_use(timezone.now())[0] == shown
    assert len(endpoint.secrets_in_use(timezone.now())) == signing
    assert not SECRET.search(text(admin.get(of_endpoint("rotate", endpoint))))


def test_looking_changes_nothing(admin, endpoint, host):
    delivery = endpoints.add_test(endpoint)

    assert admin.get(of_endpoint("test", endpoint)).status_code == 405
    assert admin.get(of_delivery("again", delivery)).status_code == 405
    assert admin.get(of_endpoint("rotate", endpoint)).status_code == 200
    assert endpoint.secrets.count() == 1
    assert host.requests == []


PAGES = ["changelist", "add"]
OF_ONE = ["change", "rotate", "test", "delete", "history"]


@pytest.mark.parametrize("permissions", [(), ("view_instance", "change_integration")])
def test_keeps_others_out(client, endpoint, host, permissions):
    delivery = endpoints.add_test(endpoint)
    staff(client, *permissions)

    pages = [reverse(f"admin:integrations_webhookendpoint_{view}") for view in PAGES]
    pages += [of_endpoint(view, endpoint) for view in OF_ONE]
    pages += [reverse("admin:integrations_webhookdelivery_changelist")]
    pages += [of_delivery(view, delivery) for view in ("change", "again", "delete", "history")]

    assert {client.get(page).status_code for page in pages} == {403}
    assert {client.post(page).status_code for page in pages} == {403}
    assert host.requests == []


def test_who_may_only_look_changes_and_sends_nothing(client, endpoint, host):
    delivery = endpoints.add_test(endpoint)
    staff(client, "view_webhookendpoint", "view_webhookdelivery")

    assert client.get(of_endpoint("change", endpoint)).status_code == 200
    assert "Send a test event" not in text(client.get(of_endpoint("change", endpoint)))
    assert "Send again" not in text(client.get(of_delivery("change", delivery)))
    refused = [of_endpoint("rotate", endpoint), of_endpoint("test", endpoint), of_delivery("again", delivery)]
    assert {client.post(page, {"hours": "0"}).status_code for page in refused} == {403}
    assert host.requests == []
    assert endpoint.secrets.count() == 1


def test_strangers_are_sent_to_the_sign_in(client, endpoint):
    response = client.get(of_endpoint("change", endpoint))

    assert response.status_code == 302
    assert "login" in response["Location"]


def test_an_endpoint_goes_with_its_integration(db):
    crm = Integration.objects.create(key="crm", name="CRM")
    WebhookEndpoint.objects.create(url="https://app.example.com/", integration=crm)

    crm.delete()

    assert not WebhookEndpoint.objects.exists()
