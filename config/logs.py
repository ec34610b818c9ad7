"""One line per record on stderr, with nothing in it that looks like a secret."""

import json
import logging
import re
import time
from collections.abc import Sequence
from typing import Any

from config.log_context import context

HIDDEN = "[hidden]"
BESIDE = ("instance", "connector", "code", "method", "route", "status", "ms", "key")
_NAMES = (
    r"[\w.-]*(?:secret|token|passw(?:or)?d|passphrase|api[_-]?key|fernet|assertion|credential|cookie|session)[\w.-]*"
)
_PATTERNS = [
    # Authorization: Basic …, and the same inside a dict's repr
    (re.compile(r"\b(Basic|Bearer|DPoP|Token)(\s+)[\w.~+/=%:-]{8,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    # client_secret=…, "access_token": "…", 'password': '…'
    (
        re.compile(rf"(?i)\b({_NAMES})([\"']?\s*[=:]\s*)(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&\"'}}\])]+)"),
        rf"\1\2{HIDDEN}",
    ),
    # the part of a set-up link that opens it
    (re.compile(r"\blks_[\w-]{20,}"), HIDDEN),
    # postgres://user:password@host
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    # JSON Web Tokens and Fernet's
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]+\.?[\w-]*"), HIDDEN),
    (re.compile(r"\bgAAAAA[\w=-]{20,}"), HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), HIDDEN),
]


def hide_secrets(text: str) -> str:
    """A net below the rule that nothing logs a secret: what looks like one is replaced, traceback included."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class OneLine(logging.Formatter):
    """UTC time, level, logger, message and traceback: one line each record, so that no input can forge a second."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        more = "".join(f" {name}={value}" for name, value in told_of(record).items())
        return _printable(hide_secrets(super().format(record)) + hide_secrets(more))


class OneObject(OneLine):
    """The same as a JSON object: `time`, `level`, `logger`, `message`, `error` (a traceback), and what is known beside.

    Beside: `request_id` or `task` and `task_id`, and what the line names (`instance`, `connector`, `code`, `status` …).
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hide_secrets(record.getMessage()),
        }
        for name, value in told_of(record).items():
            line[name] = hide_secrets(value) if isinstance(value, str) else value
        if record.exc_info:
            line["error"] = hide_secrets(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = hide_secrets(self.formatStack(record.stack_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def told_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says beside its message. Only by these names: a library's extras may hold anything."""
    named = {name: getattr(record, name) for name in BESIDE if hasattr(record, name)}
    of_request = getattr(getattr(record, "request", None), "request_id", "")
    return {**({"request_id": of_request} if of_request else {}), **context.get(), **named}


def logging_config(*, debug: bool = False, also: Sequence[str] = (), form: str = "text") -> dict[str, Any]:
    """`also` names the loggers of a server that starts before Django is set up; `form` is `json` or `text`."""
    level = "DEBUG" if debug else "INFO"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "config.logs.OneObject" if form == "json" else "config.logs.OneLine"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            # Django's own handlers mail tracebacks and print to the console; ours replaces both.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
            **{name: {"level": level} for name in ("config", "connectors", "tenants", "integrations")},
            **{name: {"handlers": [], "level": "INFO", "propagate": True} for name in also},
        },
    }


def _printable(line: str) -> str:
    lines = (part.rstrip() for part in line.splitlines())
    return "".join(character if character.isprintable() else "�" for character in " ⏎ ".join(lines))
