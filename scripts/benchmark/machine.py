"""On what it was measured."""

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

LIBRARIES = ("Django", "psycopg", "celery", "requests", "urllib3", "Authlib", "requests-oauthlib", "msal")


def stated(database: str) -> Iterator[str]:
    """Lines that say so; `database` is the server's version."""
    yield f"Measured on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by `scripts/bench`"
    load = f"; load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    yield f"{os.cpu_count()} cores, {_cpu()}, {platform.system()} {platform.release().split('-')[0]}{load}"
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    yield f"Python {platform.python_version()}, PostgreSQL {database}, {versions}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
