"""/metrics: the numbers of the whole installation, to those who may see them."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from config.operations import metrics
from config.operations.counts import MINTS, TOKEN_REQUESTS, Counts, counts
from config.operations.housekeeping import keep_counts
from config.operations.models import Heartbeat, Sample
from connectors.oauth2.errors import CredentialsRefused
from tenants import connecting, database_time
from tenants.models import Endpoint, Instance, Token
from tests.tenants.provider import answer

pytestmark = pytest.mark.django_db
TOKEN = "a-token-for-prometheus"


@pytest.fixture(autouse=True)
def _forget():
    """Nothing counted by other tests."""
    counts.take()


def text():
    return generate_latest(metrics.snapshot(lambda: metrics.work_out(metrics.by_status))).decode()


def samples():
    """The samples by name and labels, as the official parser reads them from the page."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text())
        for sample in family.samples
    }


def test_renewals_are_counted_by_connector_and_outcome(instance, provider, clock):
    connector = ("connector", instance.connector.key)
    connecting.check_now(instance, send=provider, clock=clock)
    provider.answers = [answer(401, {"error": "invalid_client"})]
    with pytest.raises(CredentialsRefused):
        connecting.check_now(instance, send=provider, clock=clock)
    keep_counts()

    found = samples()

    assert found["latchkey_renewals_total", connector, ("outcome", "renewed")] == 2  # connecting is the first
    assert found["latchkey_renewals_total", connector, ("outcome", "credentials_refused")] == 1
    assert found["latchkey_token_request_seconds_count", connector] == 3
    assert found["latchkey_token_request_seconds_bucket", connector, ("le", "+Inf")] == 3


def test_instances_are_counted_by_status(instance):
    found = samples()

    of = ("latchkey_instances", ("connector", instance.connector.key))
    assert found[*of, ("status", "active")] == 1


def test_the_backlog_and_the_oldest_are_seen(instance):
    Token.objects.update(refresh_at=database_time.now() + timedelta(minutes=10))
    assert samples()[("latchkey_tokens_due",)] == 0
    Token.objects.update(refresh_at=database_time.now() - timedelta(minutes=10), lease_owner=None, lease_until=None)

    found = samples()

    assert found[("latchkey_tokens_due",)] == 1
    assert 600 <= found[("latchkey_oldest_overdue_seconds",)] < 900


def test_what_waits_for_a_closed_endpoint_is_no_backlog(instance):
    now = database_time.now()
    Token.objects.update(refresh_at=now - timedelta(minutes=10), endpoint="https://id.example")
    Endpoint.objects.create(origin="https://id.example", since=now, witness=instance.pk, is_closed=True, retry_at=now)

    found = samples()

    assert found[("latchkey_tokens_due",)] == 0
    assert found[("latchkey_tokens_waiting",)] == 1
    assert found[("latchkey_endpoints_closed",)] == 1


def test_signs_of_life_have_an_age():
    now = database_time.now()
    for process in ("a", "b"):
        Heartbeat.objects.beat(Heartbeat.Part.WORKER, process=process, now=now)
    Heartbeat.objects.beat(Heartbeat.Part.WORKER, process="gone", now=now - timedelta(minutes=5))

    found = samples()

    assert found["latchkey_heartbeat_age_seconds", ("part", "worker")] < 100
    assert found[("latchkey_workers",)] == 2


def test_processes_add_to_the_same_counts():
    for process in (Counts(), Counts()):
        process.count(MINTS, "zoom", "made")
        keep_counts(process)

    assert [row.value for row in Sample.objects.all()] == [2.0]


def test_buckets_add_up():
    process = Counts()
    for seconds in (0.01, 0.2, 0.2, 99.0):
        process.observe(TOKEN_REQUESTS, [seconds], "zoom")
    keep_counts(process)

    found = samples()

    def bucket(bound):
        return found["latchkey_token_request_seconds_bucket", ("connector", "zoom"), ("le", bound)]

    assert [bucket(bound) for bound in ("0.05", "0.1", "0.25", "30", "+Inf")] == [1, 1, 3, 3, 4]


def test_calls_of_the_api_are_counted_by_template(instance):
    client = Client()
    for address in (f"/api/v1/instances/{instance.pk}", "/api/v1/instances/nonsense", "/api/nowhere", "/api/no-where"):
        client.get(address)
    keep_counts()

    found = {key: value for key, value in samples().items() if key[0] == "latchkey_api_requests_total"}

    assert len(found) == 2
    assert set(found.values()) == {2.0}
    assert str(instance.pk) not in str(found)


def test_no_label_names_a_tenant(instance):
    keep_counts()

    assert instance.tenant.key not in re.sub(r"# .*", "", text())


def test_only_this_machine_looks_without_a_token(settings):
    settings.METRICS_TOKEN = ""

    assert Client(REMOTE_ADDR="127.0.0.1").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="10.1.2.3").get("/metrics").status_code == 403
    assert Client(REMOTE_ADDR="").get("/metrics").status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto"])
def test_who_comes_through_a_proxy_of_this_machine_is_a_stranger(settings, header):
    settings.METRICS_TOKEN = ""

    assert Client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize(
    ("shown", "status"),
    [("", 401), ("Bearer wrong", 401), (f"Basic {TOKEN}", 401), (f"Bearer {TOKEN}é", 401), (f"Bearer {TOKEN}", 200)],
)
def test_a_token_that_is_set_must_be_shown_by_everybody(settings, shown, status):
    settings.METRICS_TOKEN = TOKEN

    response = Client(REMOTE_ADDR="10.1.2.3").get("/metrics", headers={"Authorization": shown})

    assert response.status_code == status
    assert Client(REMOTE_ADDR="127.0.0.1").get("/metrics").status_code == 401


def test_many_who_ask_at_once_get_one_answer(instance, django_assert_num_queries):
    now = [0.0]
    everything = metrics.Remembered(lambda: list(Instance.objects.all()), 5.0, steady=lambda: now[0])

    with django_assert_num_queries(1):
        everything()
        everything()
    now[0] = 5.0
    with django_assert_num_queries(1):
        everything()
