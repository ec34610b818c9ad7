"""A worker that is killed in the middle of a renewal: its lease runs out, and another worker renews."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from celery import Celery
from django.conf import settings
from django.utils import timezone

from config import folders
from tenants import connecting
from tenants.models import Event, Instance, Tenant, Token
from tenants.models.lease import MARGIN_LEAST
from tests.tenants.api_server import api_server
from tests.tenants.processes import environment
from tests.tenants.provider import make_method

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

TIMEOUT = 2.0  # seconds: OUTBOUND_TIMEOUT of the workers
TICK = 1.0  # seconds between two ticks
# The tick, the chunk's message, and a worker that looks for messages once a second.
MESSAGES_TAKE = 6.0  # seconds, at most


@pytest.fixture
def api():
    with api_server() as server:
        yield server


@pytest.fixture
def due(api, settings, db):
    """An instance whose token is due, and still lives."""
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    tenant = Tenant.objects.create(key="acme")
    method = make_method(token_request={"url": f"{api.url}/token"})
    instance = connecting.connect(tenant, method, values={"client_id": "id", "client_secret": "s3cret-value"})
    Token.objects.update(refresh_at=timezone.now() - timedelta(seconds=1))
    return instance


@pytest.fixture
def folder(tmp_path, settings):
    """The workers' VAR_DIR, with the embedded broker in it, which the test uses too."""
    options = {
        "data_folder_in": str(tmp_path / "broker" / "messages"),
        "data_folder_out": str(tmp_path / "broker" / "messages"),
        "control_folder": str(tmp_path / "broker" / "control"),  # for the test's own part, which is kombu's
    }
    settings.VAR_DIR, settings.BROKER_DIR = tmp_path, tmp_path / "broker"
    settings.EMBEDDED_BROKER, settings.CELERY_BROKER_TRANSPORT_OPTIONS = True, options
    folders.make_all()
    return tmp_path


@contextmanager
def worker(folder):
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency=1", "--loglevel=WARNING"]
    env = environment(folder, OUTBOUND_TIMEOUT=str(TIMEOUT), CELERY_BROKER_URL="")
    # A group of its own: killing a worker means all of it, as when its machine is lost.
    with (
        (folder / "worker.log").open("ab") as log,
        subprocess.Popen(command, env=env, cwd=settings.BASE_DIR, stdout=log, stderr=log, process_group=0) as popen,
    ):
        try:
            yield popen
        finally:
            kill(popen)


def kill(popen):
    with suppress(ProcessLookupError):
        # The group, not the process: a pool's child would go on.
        os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()


def ticks_until(condition, folder, *, within):
    """Send ticks, as beat does, until the condition holds; how many seconds that took."""
    begun = time.monotonic()
    with Celery(broker="filesystem://localhost/", set_as_current=False) as app:
        app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        next_tick = begun
        while not condition():
            waited = time.monotonic() - begun
            assert waited < within, (folder / "worker.log").read_text()
            if time.monotonic() >= next_tick:
                app.send_task("tenants.tasks.renew_due", expires=TICK)
                next_tick += TICK
            time.sleep(0.02)
    return time.monotonic() - begun


def test_another_worker_renews_once_the_lease_of_the_killed_one_has_run_out(due, api, folder, capsys):
    api.token_takes = TIMEOUT
    with worker(folder) as killed:
        ticks_until(lambda: len(api.tokens) == 2, folder, within=30)
        kill(killed)
    died = time.monotonic()
    leased_until = Token.objects.get().lease_until
    api.token_takes = 0
    served = Instance.objects.find("acme", "example").credentials().access_token

    with worker(folder):
        ticks_until(lambda: Token.objects.get().lease_owner is None, folder, within=30)
    took = time.monotonic() - died

    token = Token.objects.get()
    with capsys.disabled():
        print(f"\nKilled in the middle of a renewal; renewed by another worker after {took:.1f} s.")
    assert served == "token-1"
    assert token.bought.access_token == "token-3"
    assert token.renewed_at >= leased_until
    assert took < TIMEOUT + MARGIN_LEAST + MESSAGES_TAKE
    assert token.refresh_at > timezone.now()
    assert Instance.objects.get().status == Instance.Status.ACTIVE
    assert [event.kind for event in Event.objects.all()] == [Event.Kind.RENEWED, Event.Kind.CONNECTED]
