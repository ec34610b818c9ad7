"""What is counted rather than timed: statements, messages, TLS contexts, for a hundred renewals."""

import gc
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

from psycopg import Cursor

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
    """The statements that this process sends: all of them pass through psycopg, those past Django too."""
    statements: list[str] = []
    with ExitStack() as patched:
        for name in ("execute", "executemany", "copy"):
            patched.enter_context(patch.object(Cursor, name, _counting(getattr(Cursor, name), statements)))
        yield statements


def _counting(usual: Callable[..., Any], statements: list[str]) -> Callable[..., Any]:
    @wraps(usual)
    def counting(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        statements.append(str(query))
        return usual(cursor, query, *args, **kwargs)

    return counting
