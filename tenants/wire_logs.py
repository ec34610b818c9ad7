"""What urllib3 logs of a request at the level DEBUG: its address, which may hold a token in its query."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_hide: ContextVar[Callable[[str], str] | None] = ContextVar("hide", default=None)


@contextmanager
def hiding(hide: Callable[[str], str]) -> Iterator[None]:
    """Within this context, what urllib3 logs goes through `hide` first."""
    before = _hide.set(hide)
    try:
        yield
    finally:
        _hide.reset(before)


def _hidden(record: logging.LogRecord) -> bool:
    hide = _hide.get()
    if hide is not None:
        record.msg, record.args = hide(record.getMessage()), ()
    return True


# Not the level: whoever debugs an API needs these lines, and other sessions' are their own affair.
logging.getLogger("urllib3.connectionpool").addFilter(_hidden)
