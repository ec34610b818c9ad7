"""What every line of a log says of the work that it belongs to: a request's id, a task's."""

from collections.abc import Mapping
from contextvars import ContextVar

context: ContextVar[Mapping[str, str]] = ContextVar("log_context", default={})  # noqa: B039 (never written to)
