"""Many readers at once, in several processes on a real database: one request reaches the provider."""

from collections import Counter
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tenants import connecting
from tenants.models import Event, Token
from tests.tenants.api_server import api_server
from tests.tenants.processes import environment, process
from tests.tenants.provider import make_method

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

PROCESSES, THREADS = 4, 50


@pytest.fixture
def api():
    with api_server() as server:
        server.token_takes = 0.5
        yield server


@pytest.fixture
def expired(api, tenant, settings):
    """An instance whose token has run out."""
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    method = make_method(token_request={"url": f"{api.url}/token"})
    instance = connecting.connect(tenant, method, values={"client_id": "id", "client_secret": "s3cret-value"})
    past = timezone.now() - timedelta(minutes=1)
    issued = past - timedelta(hours=1)
    Token.objects.update(issued_at=issued, renewed_at=issued, expires_at=past, refresh_at=past)
    return instance


def enough_connections():
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        # Tests run in parallel, this one in both its forms: each thread takes a connection.
        return int(cursor.fetchone()[0]) > 2 * PROCESSES * THREADS + 50


@pytest.mark.parametrize("schedulers", [0, 1])
def test_two_hundred_readers_in_four_processes_make_one_request(expired, api, tmp_path, schedulers):
    if not enough_connections():
        pytest.skip(f"This PostgreSQL's max_connections are too few for {PROCESSES * THREADS} threads.")
    reading = ("read", "acme", "example", str(THREADS))

    with ExitStack() as stack:
        started = [
            stack.enter_context(process("tests.tenants.reader", *arguments, env=environment(tmp_path)))
            for arguments in [reading] * PROCESSES + [("renew",)] * schedulers
        ]
        for one in started:
            one.says()
        for one in started:
            one.begin()
        said = [one.says() for one in started]

    tokens = sum((Counter(one["tokens"]) for one in said[:PROCESSES]), Counter())
    assert [error for one in said[:PROCESSES] for error in one["errors"]] == []
    assert tokens == {"token-2": PROCESSES * THREADS}
    assert api.tokens == ["token-1", "token-2"]
    assert Event.objects.filter(kind=Event.Kind.RENEWED).count() == 1
