"""What /metrics says of webhooks and mail."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.operations import messages
from config.operations.counts import counts
from config.operations.housekeeping import keep_counts
from integrations import relay
from integrations.mail import posting
from integrations.models import Mailbox, MailItem, WebhookDelivery, WebhookEndpoint
from integrations.models.webhook_delivery import PATIENCE
from integrations.webhooks import endpoints, sending
from tenants import database_time
from tenants.models import Membership, Notice
from tests.config.operations.test_metrics import samples
from tests.integrations.webhooks.conftest import Endpoint, endpoint, host

__all__ = ["endpoint", "host"]

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def clock():
    """The database's, as the metrics go by it."""
    return database_time.now


@pytest.fixture(autouse=True)
def _forget():
    counts.take()


def waiting(endpoint, *, since, due, state="pending"):
    """A delivery that is tried since so many seconds ago, and was due so many ago."""
    now = database_time.now()
    return WebhookDelivery.objects.create(
        endpoint=endpoint.row,
        type="test",
        body="{}",
        state=state,
        created_at=now - timedelta(seconds=since),
        give_up_at=now - timedelta(seconds=since) + PATIENCE,
        next_attempt_at=now - timedelta(seconds=due) if state == "pending" else None,
    )


def test_without_webhooks_and_mail_everything_is_nought():
    found = {key: value for key, value in samples().items() if "webhook" in key[0] or "mail" in key[0]}

    assert len(found) == 14
    assert set(found.values()) == {0.0}


def test_deliveries_that_wait_are_seen_with_their_age(endpoint):
    waiting(endpoint, since=4000, due=-600)
    waiting(endpoint, since=500, due=400)
    waiting(endpoint, since=80_000, due=0, state="delivered")
    waiting(endpoint, since=80_000, due=0, state="failed")

    found = samples()

    assert found[("latchkey_webhook_deliveries_waiting",)] == 2
    assert 4000 <= found[("latchkey_webhook_oldest_waiting_seconds",)] < 4300
    assert 400 <= found[("latchkey_webhook_oldest_overdue_seconds",)] < 700


def test_what_is_not_due_yet_is_not_overdue(endpoint):
    waiting(endpoint, since=10, due=-600)

    assert samples()[("latchkey_webhook_oldest_overdue_seconds",)] == 0


def test_what_waits_for_an_endpoint_in_trouble_is_not_overdue(endpoint, clock):
    waiting(endpoint, since=900, due=900)
    WebhookEndpoint.objects.update(failures=5)
    disabled = Endpoint("https://gone.example/", clock)
    waiting(disabled, since=900, due=900)
    WebhookEndpoint.objects.filter(pk=disabled.row.pk).update(is_enabled=False, disabled_at=clock())

    found = samples()

    assert found[("latchkey_webhook_oldest_overdue_seconds",)] == 0
    assert found["latchkey_webhook_endpoints", ("state", "troubled")] == 1
    assert found["latchkey_webhook_endpoints", ("state", "disabled")] == 1
    assert found["latchkey_webhook_endpoints", ("state", "enabled")] == 0


def test_attempts_are_counted_by_what_came_of_them(host, endpoint, clock):
    host.answers = [204, 500]
    for _ in range(2):
        sending.deliver_now(waiting(endpoint, since=0, due=0), clock=clock)
    WebhookEndpoint.objects.update(url="http://127.0.0.1:9/")
    sending.deliver_now(waiting(endpoint, since=0, due=0), clock=clock)
    keep_counts()

    found = samples()

    assert found["latchkey_webhook_attempts_total", ("result", "delivered")] == 1
    assert found["latchkey_webhook_attempts_total", ("result", "refused")] == 1
    assert found["latchkey_webhook_attempts_total", ("result", "unanswered")] == 1
    assert found[("latchkey_webhook_deliveries_failed_total",)] == 0


def test_what_is_given_up_is_counted_whoever_gives_it_up(host, endpoint, clock):
    host.answers = [500]
    last = waiting(endpoint, since=86_400, due=0)
    sending.deliver_now(last, clock=clock)
    waiting(endpoint, since=86_500, due=90)
    endpoints.prune(clock(), keep=timedelta(days=30))
    waiting(endpoint, since=0, due=0)
    endpoints.disable(endpoint.row, "It is not wanted.", clock())
    keep_counts()

    assert samples()[("latchkey_webhook_deliveries_failed_total",)] == 3


def test_notices_that_nobody_passes_on_are_seen(instance):
    Notice.objects.update(at=database_time.now() - timedelta(minutes=10))
    found = samples()
    relay.pass_on()

    assert found[("latchkey_notices_waiting",)] == 1
    assert 600 <= found[("latchkey_oldest_notice_seconds",)] < 900
    assert samples()[("latchkey_notices_waiting",)] == 0


@pytest.mark.parametrize(("answers", "sent", "failed"), [(True, 1, 0), (False, 0, 1)])
def test_mail_that_waits_is_seen_and_what_came_of_it_counted(instance, clock, answers, sent, failed):
    def post(mail):
        if not answers:
            raise ConnectionRefusedError

    Membership.objects.create(user=User.objects.create_user("ada", "ada@acme.example"), tenant=instance.tenant)
    type(instance).objects.update(status="action_required")
    box = Mailbox.objects.create(address="ada@acme.example", due_at=clock() - timedelta(minutes=10))
    about = {"tenant": instance.tenant, "instance_id": instance.pk, "at": clock()}
    MailItem.objects.create(mailbox=box, is_for_administrators=False, type=Notice.Type.ACTION_REQUIRED, **about)
    Mailbox.objects.create(address="nothing@to.tell")
    before = samples()
    posting.post_due(post=post, clock=clock)
    keep_counts()

    found = samples()

    assert before[("latchkey_mails_waiting",)] == 1
    assert 600 <= before[("latchkey_mail_oldest_overdue_seconds",)] < 900
    assert found["latchkey_mails_total", ("result", "sent")] == sent
    assert found["latchkey_mails_total", ("result", "failed")] == failed
    assert found[("latchkey_mails_waiting",)] == failed
    assert found[("latchkey_mail_oldest_overdue_seconds",)] == 0


def test_what_waits_is_found_by_indexes(endpoint):
    """Among many that were delivered long ago."""
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=endpoint.row,
            type="test",
            body="{}",
            state="delivered",
            created_at=database_time.now(),
            give_up_at=database_time.now(),
        )
        for _ in range(2000)
    )
    waiting(endpoint, since=0, due=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    with CaptureQueriesContext(
        connection,
    ) as asked:
        list(messages.of_messages())

    for query in asked.captured_queries:
        if "webhookdelivery" in query["sql"]:
            with connection.cursor() as cursor:
                prefix = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
                cursor.execute(prefix + query["sql"])
                plan = "\n".join(str(row) for row in cursor.fetchall())
            assert "webhook_delivery_due" in plan or "webhook_delivery_giving_up" in plan, plan
