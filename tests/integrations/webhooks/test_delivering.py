"""Deliveries to a real server, through the real transport, verified by the Standard Webhooks library."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from integrations import relay
from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import backoff, endpoints, sending
from integrations.webhooks.results import Answer, settle
from tenants import connecting
from tests.integrations.webhooks.conftest import Endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def tell(instance, clock):
    """Something happens to the instance, and is passed on."""
    connecting.pause(instance, clock=clock)
    relay.pass_on(clock=clock)
    return WebhookDelivery.objects.get()


def state_of(delivery):
    delivery.refresh_from_db()
    return delivery.state


def test_a_delivery_is_signed_as_the_library_verifies(host, endpoint, instance, clock):
    delivery = tell(instance, clock)

    tally = sending.deliver_chunk(clock=clock)

    assert (tally.claimed, tally.delivered) == (1, 1)
    path, headers, body = host.requests[0]
    told = Webhook(endpoint.secret).verify(body, headers)
    assert path == "/hooks"
    assert headers["webhook-id"] == delivery.pk
    assert told["type"] == "instance.paused"
    assert told["data"]["instance"] == str(instance.pk)
    assert state_of(delivery) == "delivered"


def test_who_changes_a_delivery_or_has_another_secret_is_found_out(host, endpoint, instance, clock):
    tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    _, headers, body = host.requests[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(body.replace(b"acme", b"evil"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 44).verify(body, headers)


def test_a_server_that_fails_five_times_then_takes_it(host, endpoint, instance, clock):
    host.answers = [500, 503, 404, (302, {"Location": "/elsewhere"}, b""), (500, {}, b"out of order")]
    delivery = tell(instance, clock)

    while state_of(delivery) == "pending":
        clock.now = max(delivery.next_attempt_at, WebhookEndpoint.objects.get().retry_at or clock.now)
        sending.deliver_chunk(clock=clock)

    attempts = list(WebhookAttempt.objects.order_by("pk"))
    assert state_of(delivery) == "delivered"
    assert [attempt.status for attempt in attempts] == [500, 503, 404, 302, 500, 204]
    assert attempts[4].excerpt == "out of order"
    assert "redirect" in attempts[3].trouble
    assert {headers["webhook-id"] for _, headers, _ in host.requests} == {delivery.pk}
    assert len({body for _, _, body in host.requests}) == 1
    assert WebhookEndpoint.objects.get().failures == 0


def test_each_attempt_is_signed_with_its_own_time(host, endpoint, instance, clock):
    host.answers = [500]
    tell(instance, clock)
    sending.deliver_chunk(clock=clock)
    clock.advance(seconds=10)

    sending.deliver_chunk(clock=clock)

    stamps = [int(headers["webhook-timestamp"]) for _, headers, _ in host.requests]
    assert stamps[1] - stamps[0] == 10
    for _, headers, body in host.requests:
        Webhook(endpoint.secret).verify(body, headers)


def test_nothing_is_sent_before_its_time(host, endpoint, instance, clock):
    host.answers = [500]
    tell(instance, clock)
    sending.deliver_chunk(clock=clock)
    clock.advance(seconds=4)

    assert sending.chunks_due(clock) == 0
    assert sending.deliver_chunk(clock=clock).claimed == 0


def test_a_receiver_that_asks_for_more_time_gets_it(host, endpoint, instance, clock):
    host.answers = [(429, {"Retry-After": "600"}, b"")]
    delivery = tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    delivery.refresh_from_db()
    assert delivery.next_attempt_at >= clock() + timedelta(seconds=600)


def test_a_delivery_is_given_up_after_a_day(host, endpoint, instance, clock):
    host.answers = [500] * 20
    began = clock()
    delivery = tell(instance, clock)

    while state_of(delivery) == "pending":
        clock.now = max(delivery.next_attempt_at, WebhookEndpoint.objects.get().retry_at or clock.now)
        sending.deliver_chunk(clock=clock)

    assert delivery.state == "failed"
    assert len(host.requests) == delivery.attempts_made == len(backoff.DELAYS) + 1
    assert timedelta(hours=20) < clock() - began <= timedelta(days=1)


def test_what_goes_nowhere_is_tried_again_and_says_why(instance, clock, db, settings):
    settings.OUTBOUND_ALLOWED_HOSTS = []
    Endpoint("http://127.0.0.1:9/hooks", clock)
    delivery = tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    attempt = WebhookAttempt.objects.get()
    assert state_of(delivery) == "pending"
    assert attempt.status is None
    assert "OUTBOUND_ALLOWED_HOSTS" in attempt.trouble


def test_an_answer_without_an_end_counts_by_its_status(host, endpoint, instance, clock):
    host.answers = [(200, {}, b"x" * (sending.MAX_BODY + 1))]
    delivery = tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    assert state_of(delivery) == "delivered"


def test_while_a_secret_is_exchanged_the_old_and_the_new_one_sign(host, endpoint, instance, clock):
    new = endpoints.add_secret(endpoint.row, overlap=timedelta(hours=2), clock=clock)
    tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    _, headers, body = host.requests[0]
    assert len(headers["webhook-signature"].split(" ")) == 2
    Webhook(endpoint.secret).verify(body, headers)
    Webhook(new).verify(body, headers)


def test_after_the_overlap_the_new_secret_signs_alone(host, endpoint, instance, clock):
    clock.advance(hours=-2)
    new = endpoints.add_secret(endpoint.row, overlap=timedelta(hours=2), clock=clock)
    clock.advance(hours=2)
    tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    _, headers, body = host.requests[0]
    Webhook(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(body, headers)


def test_a_secret_that_got_out_can_be_ended_at_once(host, endpoint, instance, clock):
    new = endpoints.add_secret(endpoint.row, overlap=timedelta(0), clock=clock)
    tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    _, headers, body = host.requests[0]
    assert len(headers["webhook-signature"].split(" ")) == 1
    Webhook(new).verify(body, headers)


def test_410_disables_the_endpoint_at_once(host, endpoint, instance, clock):
    host.answers = [410]
    delivery = tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    row = WebhookEndpoint.objects.get()
    assert not row.is_enabled
    assert "410" in row.disabled_reason
    assert state_of(delivery) == "failed"
    connecting.resume(instance, clock=clock)
    relay.pass_on(clock=clock)
    assert WebhookDelivery.objects.count() == 1


def test_an_endpoint_is_disabled_after_a_week_without_a_success(host, endpoint, instance, clock):
    host.answers = [500] * 1000
    tell(instance, clock)
    began = clock()

    while WebhookEndpoint.objects.get().is_enabled and clock() < began + timedelta(days=8):
        endpoints.prune(clock(), keep=timedelta(days=90))
        if not WebhookDelivery.objects.pending().exists():
            endpoints.add_test(endpoint.row, clock=clock)
        clock.advance(minutes=30)
        sending.deliver_chunk(clock=clock)

    row = WebhookEndpoint.objects.get()
    assert not row.is_enabled
    assert timedelta(days=7) <= clock() - began < timedelta(days=7, hours=9)
    assert "500" in row.disabled_reason


def test_a_success_ends_the_count_of_failures(host, endpoint, instance, clock):
    host.answers = [500] * 3
    tell(instance, clock)
    for _ in range(4):
        sending.deliver_chunk(clock=clock)
        clock.advance(hours=1)

    row = WebhookEndpoint.objects.get()
    assert (row.failures, row.failing_since, row.succeeded_at) == (0, None, clock() - timedelta(hours=1))


def test_an_endpoint_in_trouble_is_asked_for_one_delivery_at_a_time(host, endpoint, clock):
    host.answers = [500] * 100
    for _ in range(8):
        endpoints.add_test(endpoint.row, clock=clock)
    sending.deliver_chunk(clock=clock)
    assert len(host.requests) == 8
    clock.advance(hours=1)

    for _ in range(3):
        sending.deliver_chunk(clock=clock)

    assert len(host.requests) == 9


def test_one_delivery_that_is_never_taken_does_not_hold_up_the_others(host, endpoint, clock):
    host.answers = [500] * 8
    for _ in range(8):
        endpoints.add_test(endpoint.row, clock=clock)
    sending.deliver_chunk(clock=clock)
    clock.advance(hours=1)
    host.answers = [500]

    for _ in range(4):
        sending.deliver_chunk(clock=clock)
        clock.advance(hours=1)

    assert not WebhookDelivery.objects.pending().exists()


def test_a_slow_loser_writes_nothing(endpoint, instance, clock):
    delivery = tell(instance, clock)

    written = settle(delivery, Answer(status=200), uuid4(), clock())

    assert written is None
    assert state_of(delivery) == "pending"
    assert not WebhookAttempt.objects.exists()


def test_a_worker_that_is_killed_loses_nothing(host, endpoint, instance, clock):
    delivery = tell(instance, clock)

    class Killed(BaseException):
        pass

    def killed(request):
        raise Killed

    with pytest.raises(Killed):
        sending.deliver_chunk(send=killed, clock=clock)
    assert sending.deliver_chunk(clock=clock).claimed == 0  # still leased
    clock.advance(minutes=10)

    assert sending.deliver_chunk(clock=clock).delivered == 1
    assert state_of(delivery) == "delivered"


def test_a_delivery_can_be_sent_again_under_the_same_id(host, endpoint, instance, clock):
    delivery = tell(instance, clock)
    sending.deliver_chunk(clock=clock)

    assert endpoints.send_again([delivery.pk], clock=clock) == 1
    sending.deliver_chunk(clock=clock)

    first, second = host.requests
    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    assert first[2] == second[2]


def test_what_waits_for_an_endpoint_longer_than_a_day_is_given_up(endpoint, instance, clock):
    delivery = tell(instance, clock)
    clock.advance(days=1)

    endpoints.prune(clock(), keep=timedelta(days=90))

    assert state_of(delivery) == "failed"


def test_old_deliveries_go_with_their_attempts(host, endpoint, instance, clock):
    tell(instance, clock)
    sending.deliver_chunk(clock=clock)
    clock.advance(days=91)

    endpoints.prune(clock(), keep=timedelta(days=90))

    assert not WebhookDelivery.objects.exists()
    assert not WebhookAttempt.objects.exists()


def test_without_a_readable_secret_nothing_is_sent(host, endpoint, instance, clock, settings):
    delivery = tell(instance, clock)
    settings.FERNET_KEYS = ["another-key-that-is-long-enough-0123456789"]

    sending.deliver_chunk(clock=clock)

    assert host.requests == []
    assert "secret" in delivery.attempts.get().trouble


def test_a_body_is_json_and_holds_no_secret(host, endpoint, instance, clock):
    tell(instance, clock)

    sending.deliver_chunk(clock=clock)

    body = host.requests[0][2]
    assert json.loads(body)["data"]["tenant"] == "acme"
    assert b"s3cret" not in body
    assert b"token-1" not in body


def test_a_backlog_is_worked_off_chunk_by_chunk(host, endpoint, clock):
    for _ in range(sending.PER_ENDPOINT + 1):
        endpoints.add_test(endpoint.row, clock=clock)

    assert sending.deliver_for(60, clock=clock) == sending.PER_ENDPOINT + 1
    assert not WebhookDelivery.objects.pending().exists()


def test_where_nothing_is_taken_there_is_no_second_chunk(host, endpoint, clock):
    host.answers = [500] * 100
    for _ in range(sending.PER_ENDPOINT + 1):
        endpoints.add_test(endpoint.row, clock=clock)

    assert sending.deliver_for(60, clock=clock) == 0
    assert len(host.requests) == sending.PER_ENDPOINT
