"""Reads of a token that is valid: from Python, over the HTTP API, and from others' caches."""

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any

from django.core.wsgi import get_wsgi_application

from integrations import keys
from integrations.models import Component, Integration
from scripts.benchmark import peers
from scripts.benchmark.budget import Budget
from scripts.benchmark.population import Population
from scripts.benchmark.stopwatch import Measured, Way, side_by_side
from scripts.benchmark.table import Row, Section
from tenants.models import Instance, Token

BARE, CONSTANT = "bare Token.objects.only(4).get()", "a constant, same framework and key check"
IN_PYTHON = (
    "Wall time of one read in PostgreSQL; the ratio is to a query for four columns by primary key. All of them decrypt "
    "the token; ours find it by tenant, look at status and expiry, and make the request's headers too."
)
OTHERS = (
    "Others remember tokens in one process's memory, in plain text: no other process sees them, nor a rejection. "
    "The ratio is to msal."
)
OVER_HTTP = (
    "CPU time of one request, handed to the WSGI application in the same process; the ratio is requests per second, to "
    "the constant."
)

# A read takes so little that whoever else uses the machine for a moment would spoil a whole round. So rounds are short
# and there are more of them than elsewhere; but long enough that a way's first reads, with cold caches, hardly count.
IN_A_ROUND = 50


def reads(population: Population, budget: Budget) -> Iterator[Section]:
    tenants = [key for (key,) in Instance.objects.filter(pk__in=population.pks).values_list("tenant__key")]
    integration = Integration.objects.create(key="bench", name="Bench")
    Component.objects.create(integration=integration, name="main", connector=population.method.connector)
    yield _in_python(population, integration, tenants, budget)
    yield _remembered(budget)
    yield _over_http(tenants[0], budget)


def _in_python(population: Population, integration: Integration, tenants: list[str], budget: Budget) -> Section:
    four, connector = ("secrets", "expires_at", "issued_at", "is_rejected"), population.method.connector.key
    pks, keys_of_tenants = cycle(population.pks), cycle(tenants)
    held = cycle(Instance.objects.filter(pk__in=population.pks))
    reading: dict[str, Callable[[], Any]] = {
        BARE: lambda: Token.objects.only(*four).get(pk=next(pks)),
        "Integration.credentials()": lambda: integration.credentials(next(keys_of_tenants), "main"),
        "Instance.objects.find().credentials()": lambda: Instance.objects.find(
            next(keys_of_tenants), connector
        ).credentials(),
        "credentials() of an Instance held": lambda: next(held).credentials(),
    }
    ways = _ways(reading, min(budget.reads, IN_A_ROUND))
    # One call for all tenants: its cost is for each of them.
    many = Way(
        f"Integration.credentials_for({len(tenants)} tenants), each",
        lambda times: _read_all(integration, tenants, times),
        len(tenants),
    )
    measured = _by_turns([*ways, many], budget)
    rows = []
    for name in measured.rounds:
        ratio = measured.ratio(name, BARE)
        is_ours = name != BARE
        rows.append(
            Row(
                name,
                _figure(measured, name),
                ratio.wall,
                "≤ 1.25" if is_ours else "",
                ratio.wall <= 1.25 if is_ours else None,
            )
        )
    return Section("Reading a valid token from Python", IN_PYTHON, rows)


def _by_turns(ways: Sequence[Way], budget: Budget) -> Measured:
    """So many reads in all as the budget says, in short rounds."""
    return side_by_side(ways, rounds=max(1, budget.rounds * budget.reads // IN_A_ROUND), warm_up=5)


def _remembered(budget: Budget) -> Section:
    ways = [
        Way("msal, from its cache", peers.msal_cached(), budget.reads),
        Way("Authlib, ensure_active_token", peers.authlib_cached(), budget.reads),
    ]
    measured = side_by_side(ways, rounds=budget.rounds, warm_up=20)
    rows = [Row(way.name, _figure(measured, way.name), measured.ratio(way.name, ways[0].name).wall) for way in ways]
    return Section("Tokens that other libraries remember", OTHERS, rows)


def _over_http(tenant: str, budget: Budget) -> Section:
    _, text = keys.issue("Bench", scopes=["tokens:read"])
    address = f"/api/v1/tenants/{tenant}/integrations/bench/components/main/token"
    application = get_wsgi_application()
    reading = {
        CONSTANT: lambda: _got(application, "/bench/constant", text),
        "read_token": lambda: _got(application, address, text),
    }
    measured = _by_turns(_ways(reading, min(budget.reads, IN_A_ROUND)), budget)
    ratio = 1 / measured.ratio("read_token", CONSTANT).cpu
    return Section(
        "Reading a token over the HTTP API",
        OVER_HTTP,
        [
            Row(CONSTANT, _figure(measured, CONSTANT), 1.0),
            Row("read_token", _figure(measured, "read_token"), ratio, "≥ 0.5", ratio >= 0.5),
        ],
    )


def _read_all(integration: Integration, tenants: list[str], times: int) -> None:
    """In one call, or in a call for as many as there are to be."""
    found = integration.credentials_for(tenants[:times], "main")
    for one in found.values():
        if isinstance(one, Exception):
            raise one


def _ways(reading: dict[str, Callable[[], Any]], times: int) -> list[Way]:
    def repeated(read: Callable[[], Any]) -> Callable[[int], None]:
        def run(count: int) -> None:
            for _ in range(count):
                read()

        return run

    return [Way(name, repeated(read), times) for name, read in reading.items()]


def _figure(measured: Measured, name: str) -> str:
    cost = measured.typical(name)
    return f"{cost.cpu:,.1f} µs CPU, {cost.wall:,.1f} µs"


def _got(application: Any, path: str, key: str) -> bytes:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    said: list[str] = []
    response = application(environ, lambda status, headers: said.append(status))
    body = b"".join(response)
    response.close()
    if not said[0].startswith("200"):
        raise AssertionError(f"{path} answered {said[0]}: {body[:300]!r}")
    return body
