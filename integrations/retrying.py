"""Whether waiting helps."""

from collections.abc import Iterable

from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable
from tenants.renewal import BACKOFF_FIRST


def wait_for(errors: Iterable[LatchkeyError]) -> float | None:
    """Seconds after which all of these may be gone by themselves; None if one of them won't be."""
    waits = [_wait(error) for error in errors]
    known = [wait for wait in waits if wait is not None]
    return max(known) if known and len(known) == len(waits) else None


def _wait(error: LatchkeyError) -> float | None:
    wait: float | None = getattr(error, "retry_after", None)
    if wait is None and isinstance(error, ProviderUnavailable):
        # Nobody knows; but before that, the schedule wouldn't try again either.
        return BACKOFF_FIRST.total_seconds()
    return wait
