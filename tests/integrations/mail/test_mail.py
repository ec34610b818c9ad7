"""Mail about trouble: to whom it concerns, collected so that an outage is one mail, and without anything secret."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail

from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable
from integrations import relay
from integrations.mail import posting, queueing
from integrations.models import Integration, Mailbox, MailItem, WebhookEndpoint
from integrations.webhooks import endpoints
from integrations.webhooks.results import Answer, settle
from tenants import connecting, schedule, secret_expiry
from tenants.models import Instance, Membership, Notice, Tenant
from tests.integrations.webhooks.conftest import VALUES
from tests.tenants.provider import make_method

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

REFUSED = CredentialsRefused("The provider refused the request.", "It said “invalid_client”.")


@pytest.fixture
def ada(tenant):
    user = User.objects.create_user("ada", "Ada@acme.example")
    Membership.objects.create(user=user, tenant=tenant)
    return user


@pytest.fixture
def root(db):
    return User.objects.create_superuser("root", "root@platform.example")


@pytest.fixture
def stranger(db):
    """A member of another tenant."""
    user = User.objects.create_user("eve", "eve@other.example")
    Membership.objects.create(user=user, tenant=Tenant.objects.create(key="other"))
    return user


def refuse(provider, clock, times=1):
    provider.answers = [REFUSED] * times
    clock.advance(hours=2)
    schedule.renew_chunk(send=provider, clock=clock)
    relay.pass_on(clock=clock)


def set_aside(instance, clock):
    """What a renewal that is refused does, without the waiting for one."""
    Instance.objects.filter(pk=instance.pk).update(status="action_required")
    Notice.objects.create(
        type="instance.action_required", at=clock(), tenant_id=instance.tenant_id, instance_id=instance.pk
    )
    relay.pass_on(clock=clock)


def post(clock, **wait):
    clock.advance(**(wait or {"minutes": 6}))
    return posting.post_due(clock=clock)


def read(address):
    return [one for one in mail.outbox if one.to == [address]]


def test_a_member_is_told_with_a_link_to_reconnect(ada, instance, provider, clock, settings):
    refuse(provider, clock)

    assert post(clock) == 1

    [one] = mail.outbox
    html = one.alternatives[0][0]
    link = f"{settings.PUBLIC_URL}/t/acme/instances/{instance.pk}/reconnect/"
    assert one.to == ["ada@acme.example"]
    assert one.subject == "Example: the connection needs attention"
    assert link in one.body
    assert f'href="{link}"' in html
    assert "invalid_client" in one.body
    for text in (one.body, html):
        assert "s3cret-value" not in text
        assert "token-1" not in text


def test_administrators_are_told_whose_it_is_and_others_nothing(root, stranger, instance, provider, clock):
    refuse(provider, clock)
    post(clock)

    [one] = mail.outbox
    assert one.to == ["root@platform.example"]
    assert "of Acme" in one.body
    assert f"/admin/tenants/instance/{instance.pk}/" in one.body


def test_alert_emails_stand_for_the_superusers(root, instance, provider, clock, settings):
    settings.ALERT_EMAILS = ["oncall@platform.example"]

    refuse(provider, clock)
    post(clock)

    assert [one.to for one in mail.outbox] == [["oncall@platform.example"]]


def test_contacts_of_the_tenant_are_told(tenant, instance, provider, clock):
    tenant.contact_emails = ["it@acme.example"]
    tenant.save()

    refuse(provider, clock)
    post(clock)

    assert [one.to for one in mail.outbox] == [["it@acme.example"]]


def test_who_wants_no_mail_gets_none(ada, instance, provider, clock):
    Membership.objects.update(is_notified=False)

    refuse(provider, clock)

    assert post(clock) == 0


def test_an_outage_is_one_mail(ada, tenant, instance, provider, clock):
    for number in range(40):
        connecting.connect(tenant, make_method(f"c{number}"), values=VALUES, send=provider, clock=clock)

    refuse(provider, clock, times=41)

    assert post(clock) == 1
    [one] = mail.outbox
    assert one.subject == "41 connections need attention"
    assert "and 11 more" in one.body


def test_nothing_is_sent_before_it_was_collected(ada, instance, provider, clock):
    refuse(provider, clock)

    assert post(clock, minutes=4) == 0
    assert post(clock, minutes=2) == 1


def test_the_next_mail_waits_for_the_cool_down(ada, tenant, instance, provider, clock):
    refuse(provider, clock)
    post(clock)
    set_aside(connecting.connect(tenant, make_method("second"), values=VALUES, send=provider, clock=clock), clock)

    assert post(clock, minutes=10) == 0
    assert post(clock, minutes=25) == 1
    assert mail.outbox[1].subject == "Second: the connection needs attention"


def test_what_was_mended_meanwhile_is_not_told(ada, instance, provider, clock):
    refuse(provider, clock)
    connecting.reconnect(instance, values=VALUES, send=provider, clock=clock)
    relay.pass_on(clock=clock)

    assert post(clock) == 0
    assert not MailItem.objects.exists()


def test_what_was_removed_meanwhile_is_not_told(ada, instance, provider, clock):
    refuse(provider, clock)
    connecting.remove(instance, clock=clock)

    assert post(clock) == 0


def test_a_recovery_is_a_line_in_the_next_mail_but_no_mail_of_its_own(ada, tenant, instance, provider, clock):
    refuse(provider, clock)
    post(clock)
    connecting.reconnect(instance, values=VALUES, send=provider, clock=clock)
    relay.pass_on(clock=clock)
    assert post(clock, hours=1) == 0
    set_aside(connecting.connect(tenant, make_method("second"), values=VALUES, send=provider, clock=clock), clock)

    assert post(clock) == 1
    assert "Works again\n\n- Example" in mail.outbox[1].body


def test_transient_trouble_is_not_mailed(ada, root, instance, provider, clock):
    provider.answers = [ProviderUnavailable("No answer came.")]
    clock.advance(hours=2)
    schedule.renew_chunk(send=provider, clock=clock)
    relay.pass_on(clock=clock)

    assert post(clock) == 0


def test_a_secret_that_runs_out_is_told(ada, instance, clock):
    secret_expiry.set_expiry(instance, clock() + timedelta(days=20), clock=clock)
    secret_expiry.warn(clock())
    relay.pass_on(clock=clock)

    post(clock)

    [one] = mail.outbox
    assert one.subject == "Example: a secret runs out"
    assert f"/t/acme/instances/{instance.pk}/" in one.body
    assert "expires on" in one.body


def test_an_endpoint_that_was_disabled_is_told_to_administrators(root, ada, clock):
    endpoint = WebhookEndpoint.objects.create(url="https://app.example.com/hooks", description="Billing")
    delivery = endpoints.add_test(endpoint, clock=clock)
    assert delivery.take(clock())

    settle(delivery, Answer(status=410), delivery.lease_owner, clock())
    post(clock)

    [one] = mail.outbox
    assert (one.to, one.subject) == (["root@platform.example"], "A webhook endpoint was disabled")
    assert "Billing" in one.body
    assert "410" in one.body


def test_mail_to_a_tenant_carries_the_integrations_name(ada, crm, instance, provider, clock, settings):
    settings.DEFAULT_FROM_EMAIL = "Latchkey <connect@example.com>"

    refuse(provider, clock)
    post(clock)

    [one] = mail.outbox
    assert one.from_email == "CRM sync <connect@example.com>"
    assert "Latchkey" not in one.body + one.alternatives[0][0]


def test_a_name_that_would_be_another_header_is_flattened(ada, crm, instance, provider, clock):
    Integration.objects.update(name="CRM\nBcc: eve@other.example")

    refuse(provider, clock)
    post(clock)

    assert mail.outbox[0].message()["Bcc"] is None


def test_a_mail_server_that_fails_is_tried_again_and_its_words_are_not_logged(ada, instance, provider, clock, caplog):
    refuse(provider, clock)
    clock.advance(minutes=6)

    def failing(message):
        raise OSError("550 s3cret-value")

    assert posting.post_due(post=failing, clock=clock) == 0
    assert "s3cret" not in caplog.text
    assert posting.post_due(clock=clock) == 0
    assert post(clock) == 1


def test_one_worker_at_a_time_writes_to_an_address(ada, instance, provider, clock):
    refuse(provider, clock)
    clock.advance(minutes=6)
    others = []

    posting.post_due(post=lambda message: others.append(posting.post_due(clock=clock)), clock=clock)

    assert others == [0]


def test_a_worker_that_is_killed_loses_no_mail(ada, instance, provider, clock):
    refuse(provider, clock)
    clock.advance(minutes=6)

    class Killed(BaseException):
        pass

    def killed(message):
        raise Killed

    with pytest.raises(Killed):
        posting.post_due(post=killed, clock=clock)

    assert post(clock, minutes=11) == 1


def test_what_comes_while_a_mail_is_sent_is_told_in_the_next(ada, tenant, instance, provider, clock):
    refuse(provider, clock)
    clock.advance(minutes=6)

    def meanwhile(message):
        queueing.queue([Notice(type="secret.expiring", at=clock(), tenant=tenant, instance_id=instance.pk)], clock())

    posting.post_due(post=meanwhile, clock=clock)

    assert MailItem.objects.get().type == "secret.expiring"
    assert Mailbox.objects.get().due_at == clock() + queueing.COOL_DOWN


def test_the_link_stops_mail_to_its_address_alone(client, ada, tenant, instance, provider, clock, settings):
    tenant.contact_emails = ["it@acme.example", "ada@acme.example"]
    tenant.save()
    refuse(provider, clock)
    post(clock)
    [one] = read("ada@acme.example")
    link = one.extra_headers["List-Unsubscribe"].strip("<>").removeprefix(settings.PUBLIC_URL)

    assert client.get(link).status_code == 200
    assert Membership.objects.get().is_notified
    assert client.post(link).status_code == 200

    tenant.refresh_from_db()
    assert not Membership.objects.get().is_notified
    assert tenant.contact_emails == ["it@acme.example"]


@pytest.mark.parametrize("token", ["ada@acme.example", "ImFkYSI:1abc:def"])
def test_a_link_that_was_made_up_stops_nothing(client, ada, token):
    assert client.post(f"/mail/{token}/").status_code == 404
    assert Membership.objects.get().is_notified


def test_old_news_are_dropped(ada, instance, provider, clock):
    refuse(provider, clock)
    clock.advance(days=4)

    posting.prune(clock())

    assert not MailItem.objects.exists()
