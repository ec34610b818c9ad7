"""What is logged of requests and renewals, and with which ids."""

import logging
import re

import pytest
from celery import current_app
from django.test import Client

from config.log_context import context
from config.logs import OneObject
from connectors.oauth2.errors import CredentialsRefused
from integrations import keys
from tenants import connecting
from tests.tenants.provider import answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(caplog):
    """The lines as they are written, with what is known beside."""
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(OneObject())
    return caplog


def of(lines, logger):
    return [record for record in lines.records if record.name == logger]


def test_a_call_is_one_line_with_its_template_and_its_keys_beginning(lines, instance):
    _, key = keys.issue("host")

    Client().get(f"/api/v1/instances/{instance.pk}", headers={"Authorization": f"Bearer {key}"})

    (line,) = of(lines, "config.operations.requests")
    assert (line.method, line.status) == ("GET", 200)
    assert line.route == "/api/v1/instances/<instance_id>"
    assert line.key == key[:11]
    assert line.ms >= 0
    assert key not in lines.text
    assert instance.tenant.key not in lines.text


def test_a_call_without_a_key_is_a_line_too(lines):
    Client().get("/api/v1/instances")

    (line,) = of(lines, "config.operations.requests")
    assert line.status == 401
    assert not hasattr(line, "key")


def test_a_page_is_no_call(lines):
    Client().get("/login/")

    assert of(lines, "config.operations.requests") == []


@pytest.mark.parametrize("address", ["/healthz", "/api/v1/instances", "/nowhere", "/login/"])
def test_a_sane_request_id_is_kept_and_returned(address):
    assert Client().get(address, headers={"X-Request-ID": "host-1.a_B"}).headers["X-Request-ID"] == "host-1.a_B"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b', "é", "<script>", "-a", "a;b"])
def test_another_request_id_is_replaced(given):
    returned = Client().get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]

    assert re.fullmatch("[0-9a-f]{32}", returned)


def test_every_line_of_a_request_names_it(lines):
    Client().get("/api/v1/instances", headers={"X-Request-ID": "host-1"})

    assert lines.text.count('"request_id": "host-1"') == len(lines.records) == 2  # ours, and Django's of a 401
    assert '"request_id": "host-1"' in lines.text
    assert context.get() == {}


def test_a_failed_renewal_is_one_line_without_any_value(lines, instance, provider, clock):
    provider.answers = [answer(401, {"error": "invalid_client", "error_description": "s3cret-value is wrong"})]
    with pytest.raises(CredentialsRefused):
        connecting.check_now(instance, send=provider, clock=clock)

    (line,) = of(lines, "config.operations.receivers")
    assert line.levelno == logging.ERROR
    assert (line.instance, line.connector, line.code) == (str(instance.pk), "example", "credentials_refused")
    assert "s3cret-value" not in lines.text
    assert "token-1" not in lines.text


def test_a_recovery_is_one_line_and_a_usual_renewal_none(lines, instance, provider, clock):
    provider.answers = [answer(401, {"error": "invalid_client"})]
    with pytest.raises(CredentialsRefused):
        connecting.check_now(instance, send=provider, clock=clock)
    lines.clear()

    connecting.check_now(instance, send=provider, clock=clock)
    connecting.check_now(instance, send=provider, clock=clock)

    (line,) = of(lines, "config.operations.receivers")
    assert (line.levelno, line.instance) == (logging.INFO, str(instance.pk))


def test_lines_of_a_task_name_it(lines, db):
    current_app.loader.import_default_modules()
    task = current_app.tasks["tenants.tasks.prune"]
    seen = []

    @current_app.task(name="tests.look", shared=False)
    def look():
        seen.append(dict(context.get()))

    look.apply(task_id="id-1")

    assert task.name == "tenants.tasks.prune"
    assert seen == [{"task": "tests.look", "task_id": "id-1"}]
    assert context.get() == {}
