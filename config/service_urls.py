"""The addresses of the database, the broker and the mail server, as settings give them."""

import re
from typing import Any
from urllib.parse import urlsplit

import environ
from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo

from config.environment import Fault

DATABASE_SCHEMES = ("sqlite:///", "postgres://", "postgresql://")
EMAIL_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl", "consolemail", "filemail")
BROKER_SCHEMES = ("redis://", "rediss://", "redis+socket://")
# Read by Django itself; everything else in the address's query is handed to PostgreSQL's library.
_OPTIONS_OF_DJANGO = frozenset({"assume_role", "isolation_level", "pool", "server_side_binding"})


def database(text: str) -> dict[str, Any]:
    if not text.startswith(DATABASE_SCHEMES):
        raise Fault(
            "names no database that Latchkey works with. "
            "Write postgres://user:password@host:5432/name or sqlite:////absolute/path."
        )
    try:
        parsed = dict(environ.Env.db_url_config(text))
    except ValueError:
        parsed = {}
    if parsed.get("NAME") in (None, "", ":memory:"):
        raise Fault(
            "can't be read as a database address. "
            "Write postgres://user:password@host:5432/name or sqlite:////absolute/path."
        )
    for option in parsed.get("OPTIONS", {}).keys() - _OPTIONS_OF_DJANGO:
        _check_option(option)
    return parsed


def _check_option(name: str) -> None:
    try:
        make_conninfo("", **{name: "1"})
    except ProgrammingError:
        known = False
    else:
        known = True
    if not known:
        # Of the address nothing but the option's name is shown: it may hold a password.
        raise Fault(f"has the option {name!r}, which PostgreSQL doesn't know. Write one such as ?sslmode=require.")


def broker(text: str) -> str:
    if not text.startswith(BROKER_SCHEMES):
        raise Fault(
            "names no broker that Latchkey works with. Write redis://host:6379/0 or rediss://…, or leave it out."
        )
    try:
        parts = urlsplit(text)
        readable = parts.port is None or parts.port > 0  # reading it raises for a port that is no number
    except ValueError:
        readable = False
    if readable and not text.startswith("redis+socket:"):
        readable = re.fullmatch(r"/?|/[0-9]{1,4}", parts.path) is not None
    if not readable:
        # Not quoted: it may hold a password.
        raise Fault("can't be read as a broker's address. Write redis://host:6379/0, or leave it out.")
    return text


def email(text: str) -> dict[str, Any]:
    """Django's EMAIL_… settings."""
    remedy = (
        "Write smtp+tls://user:password@host:587 (STARTTLS), smtp+ssl://user:password@host:465, smtp://host:25, "
        "consolemail:// or filemail:////absolute/folder, with %xx for reserved characters."
    )
    if text.partition("://")[0] not in EMAIL_SCHEMES:
        raise Fault(f"names no way to send mail that Latchkey knows. {remedy}")
    try:
        parsed = dict(environ.Env.email_url_config(text))
    except ValueError:
        parsed = {}
    if not parsed or (text.startswith("smtp") and not parsed["EMAIL_HOST"]):
        raise Fault(f"can't be read. {remedy}")
    if text.startswith("filemail") and not parsed["EMAIL_FILE_PATH"].startswith("/"):
        raise Fault(f"names no absolute folder. {remedy}")
    ports = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
    parsed["EMAIL_PORT"] = parsed["EMAIL_PORT"] or ports.get(text.partition("://")[0], 25)
    return {name: value or "" for name, value in parsed.items()}
