"""What is counted rather than timed: statements, messages, TLS contexts, for a hundred renewals."""

import gc
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from scripts.benchmark.population import populate
from scripts.benchmark.surroundings import Surroundings
from scripts.benchmark.table import Row, Section
from tenants import schedule
from tenants.schedule import CHUNK

REMARK = (
    "Counted over several chunks of renewals over https. A statement that is sent for many rows at once, in one round "
    "trip, is one; BEGIN and COMMIT are not among them. Contexts are all that this process holds."
)
CHUNKS = 3


def counts(around: Surroundings) -> Section:
    """Must come before others' libraries have made contexts of their own."""
    population = populate("counted", around.token_url("https", 0), CHUNKS * CHUNK)
    schedule.renew_chunk()  # what is read once a process
    population.make_due(CHUNKS * CHUNK)
    with _counted() as statements:
        renewed = sum(schedule.renew_chunk().renewed for _ in range(CHUNKS))
    gc.collect()
    contexts = sum(isinstance(one, ssl.SSLContext) for one in gc.get_objects())
    each = 100 * len(statements) / max(renewed, 1)
    messages = 100 / CHUNK
    return Section(
        "Counts",
        REMARK,
        [
            Row("SQL statements for 100 renewals", f"{each:.1f}", None, "≤ 4", each <= 4),
            Row("Celery tasks for 100 renewals", f"{messages:.2g}", None, "≤ 1", messages <= 1),
            Row("SSLContexts in this process", str(contexts), None, "≤ 1", contexts <= 1),
        ],
    )


@contextmanager
def _counted() -> Iterator[list[str]]:
    """The statements that this thread's connection sends, those that go past Django included."""
    statements: list[str] = []
    connection.ensure_connection()
    driver = connection.connection
    usual = driver.cursor_factory

    class Counting(usual):  # type: ignore[misc, valid-type]  # known only now
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            statements.append(str(query))
            return super().execute(query, *args, **kwargs)

        def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            statements.append(str(query))
            return super().executemany(query, *args, **kwargs)

    driver.cursor_factory = Counting
    try:
        yield statements
    finally:
        driver.cursor_factory = usual
