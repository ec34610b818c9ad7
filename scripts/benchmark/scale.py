"""Due scan and claim, with few instances and with very many."""

from collections.abc import Iterator
from uuid import UUID, uuid4

from django.db import connection

from connectors.models import AuthMethod
from scripts.benchmark.budget import Budget
from scripts.benchmark.population import make_method
from scripts.benchmark.stopwatch import Cost, Way, side_by_side
from scripts.benchmark.table import Row, Section
from tenants import database_time, schedule
from tenants.models import Tenant, Token
from tenants.models.lease import Ends, lease_length

DUE = 500
REMARK = (
    "Wall time in PostgreSQL with 500 tokens due, the other tokens' times spread over an hour; the ratio is to the "
    "smaller number. A claim takes the leases of a chunk; giving them back isn't measured."
)
_INSTANCES = """
    INSERT INTO tenants_instance (id, tenant_id, connector_id, auth_method_id, name, status, status_code, status_reason,
                                  created_at, updated_at)
    SELECT gen_random_uuid(), %s, %s, %s, number::text, 'active', '', '', now(), now()
    FROM generate_series(%s::int, %s::int) number
"""
_TOKENS = """
    INSERT INTO tenants_token (instance_id, endpoint, issued_at, renewed_at, expires_at, refresh_at, failures,
                               is_rejected, rejections)
    SELECT id, 'https://example.com', now(), now(), now() + interval '2 hours',
           now() + interval '1 hour' * (0.5 + random()), 0, false, 0
    FROM tenants_instance WHERE auth_method_id = %s AND NOT EXISTS (SELECT 1 FROM tenants_token WHERE instance_id = id)
"""
_DUE = """
    UPDATE tenants_token SET refresh_at = now() - interval '1 second' * random()
    WHERE instance_id IN (SELECT id FROM tenants_instance WHERE auth_method_id = %s LIMIT %s)
"""


def scale(budget: Budget) -> Section:
    method = make_method("scale", "https://example.com/token")
    tenant = Tenant.objects.create(key="scale", name="Scale")
    there, rows = 0, []
    first: dict[str, Cost] = {}
    for size in budget.sizes:
        _grow(method, tenant, there + 1, size)
        there = size
        for name, cost in _measured(budget):
            base = first.setdefault(name, cost)
            ratio = cost.wall / base.wall
            is_larger = size > budget.sizes[0]
            goal = ("≤ 1.2", ratio <= 1.2) if is_larger else ("", None)
            rows.append(Row(f"{name} at {size:,} instances", f"{cost.wall / 1000:,.2f} ms", ratio, *goal))
    return Section("Due scan and claim", REMARK, rows)


def plans() -> Iterator[tuple[str, str]]:
    """How PostgreSQL goes about it: a name, and the plan."""
    now = database_time.now()
    due = Token.objects.due(now)
    yield "Due scan", due.order_by()[: 200 * schedule.CHUNK].explain(analyze=True, buffers=True)
    yield "Claim", due.values("pk")[: schedule.CHUNK].explain(analyze=True, buffers=True)
    closed = due.exclude(endpoint__in=["https://example.com"])
    yield (
        "Claim with everything that is due behind a closed endpoint",
        closed.values("pk")[: schedule.CHUNK].explain(analyze=True, buffers=True),
    )
    stranded = Token.objects.stranded("https://example.com", now).filter(refresh_at__lte=now)
    yield "Probe of a closed endpoint", stranded.values("pk")[:1].explain(analyze=True, buffers=True)


def _measured(budget: Budget) -> Iterator[tuple[str, Cost]]:
    claimed: list[UUID] = []

    def scan(times: int) -> None:
        for _ in range(times):
            schedule.chunks_due()

    def claim(times: int) -> None:
        now = database_time.now()
        for _ in range(times):
            ends = Ends.at(now + lease_length())
            claimed[:] = Token.claim_due(now, owner=uuid4(), ends=ends, limit=schedule.CHUNK)

    def give_back(times: int) -> None:
        Token.objects.filter(pk__in=claimed).update(lease_owner=None, lease_until=None)

    ways = [Way("due scan", scan, 20), Way("claim of a chunk", claim, 1, give_back)]
    measured = side_by_side(ways, rounds=max(budget.rounds * 3, 1), warm_up=1)
    give_back(1)
    for way in ways:
        yield way.name, measured.typical(way.name)


def _grow(method: AuthMethod, tenant: Tenant, start: int, end: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_INSTANCES, [tenant.pk, method.connector_id, method.pk, start, end])
        cursor.execute(_TOKENS, [method.pk])
        cursor.execute(_DUE, [method.pk, DUE])
        cursor.execute("VACUUM ANALYZE tenants_token")
        cursor.execute("VACUUM ANALYZE tenants_instance")
