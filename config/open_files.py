"""How many files a process may have open: a worker holds a connection for each of many requests at a time."""

import resource
from contextlib import suppress

WANTED = 4096
ENOUGH = 512  # for four chunks at a time, with 64 requests each, and the database


def allow_many() -> int:
    """Raise the limit of this process, and of those that it starts, as far as that is allowed; what it is now."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now == resource.RLIM_INFINITY:
        return WANTED
    wanted = WANTED if most == resource.RLIM_INFINITY else min(WANTED, most)
    if now < wanted:
        with suppress(OSError, ValueError):  # macOS has a limit besides, and doesn't say so
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def warning(allowed: int) -> str:
    """What to tell who starts Latchkey; empty where there is enough."""
    if allowed >= ENOUGH:
        return ""
    return (
        f"Only {allowed} files may be open at once here, and many renewals at a time need more: those then fail, one "
        f"sign is “unable to open database file”. Raise the limit (ulimit -n {WANTED}) and start again."
    )
