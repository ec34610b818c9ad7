"""Where a browser may be sent back to, and what the address then says."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from connectors.oauth2.hosts import BadAddress, checked_base

MAX_LENGTH = 2000
# What the address says of how a session ended; `error` only where it failed.
OUTCOME = frozenset({"session", "status", "error"})
_ENCODED_TRICK = re.compile(r"%(?:2f|5c|00|0[ad])", re.IGNORECASE)


def problem_with(address: str, prefixes: Iterable[str]) -> str:
    """Why a browser may not be sent there, as a sentence that does not repeat it; or nothing.

    Allowed is what has the scheme, host and port of one of the prefixes and lies at or below its path; whole parts of
    paths are compared, so `/app` allows `/app` and `/app/done`, but not `/apple`. A query is the host's own affair.
    """
    if len(address) > MAX_LENGTH:
        return f"This is longer than {MAX_LENGTH:,} characters."
    bare, _, _query = address.partition("?")
    if "#" in address:
        return "This may not hold a fragment (“#”)."
    if not address.isascii() or re.search(r"[\x00-\x20\x7f\\\"<>^`{|}]", address):
        return "This holds a character that can't stand in an address; percent-encode it."
    try:
        checked_base(bare)
    except BadAddress as error:
        return f"This can't be used: {error}."
    if _ENCODED_TRICK.search(urlsplit(bare).path):
        return "Its path may not hold an encoded slash, backslash or line break."
    if not any(_is_below(bare, prefix) for prefix in prefixes):
        return "The integration's allowed_redirects don't have this address. An administrator can add it."
    return ""


def _is_below(address: str, prefix: str) -> bool:
    there, allowed = urlsplit(address), urlsplit(prefix)
    if _origin(address) != _origin(prefix):
        return False
    path, start = there.path or "/", allowed.path or "/"
    return path == start or path.startswith(start if start.endswith("/") else f"{start}/")


def _origin(address: str) -> tuple[str, str, int]:
    parts = urlsplit(address)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname or "", parts.port or (443 if scheme == "https" else 80)


def origin_of(address: str) -> str:
    """Scheme, host and port, as browsers write them."""
    parts = urlsplit(address)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"


def with_outcome(address: str, outcome: Mapping[str, str]) -> str:
    """The address with these parameters added to its query; what it had of such names itself is taken away."""
    parts = urlsplit(address)
    own = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in own if name not in OUTCOME]
    untouched = parts.query if len(kept) == len(own) else urlencode(kept)
    query = "&".join(part for part in (untouched, urlencode(outcome, quote_via=quote)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))
