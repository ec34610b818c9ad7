"""What looks like a secret in an answer, though nobody said that it is one."""

import re

MAX_READ = 65_536  # characters of an answer's body that are looked at
# No part's length is without bound: a text may be made to take long.
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,4000}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*")
_SENSITIVE = re.compile(
    r"token|secret|passw|pwd|jwt|assertion|credential|session|cookie|authoriz|signature|private|"
    r"(?:api|access|auth|client)[_-]?key|^(?:key|code|ticket|sid)$",
    re.IGNORECASE,
)
# Names that hold such a word, but tell of a token rather than hold it.
_TELLING = re.compile(
    r"(?:type|expires?(?:_?(?:in|at|on))?|expiry|lifetime|url|uri|endpoint|ttl|count|status|name|error[a-z_]*)$",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"trace|request[_-]?id|correlation|timestamp|date|etag|^cf-ray$|scope|error|message|^content-|^accept",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-Za-z0-9._~+/=|:!-]{20,}")
_ADDRESS = re.compile(r"https?://[^\s?#\"'<>]*", re.IGNORECASE)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|[+-][0-9:]+)?")
# name=value, "name": "value" and <name>value</name>, in text of no known form
_NAMED = re.compile(r"""([A-Za-z_-]{2,40})["']?\s{0,9}[=:>]\s{0,9}["']?([^\s"'<>&,;]{4,})""")


def is_sensitive(name: str, value: str) -> bool:
    """Whether the value of a field of this name had better not be shown."""
    if not value or _TIME.fullmatch(value):
        return False
    if _SENSITIVE.search(name) and not _TELLING.search(name):
        return True
    if _HARMLESS.search(name) or _ADDRESS.fullmatch(value):
        return False
    return bool(_RUN.fullmatch(value)) and _is_opaque(value)


def sensitive_in(text: str) -> set[str]:
    """The pieces of a text that had better not be shown."""
    found = {match[2] for match in _NAMED.finditer(text) if is_sensitive(match[1], match[2])}
    bare = _TIME.sub(" ", _ADDRESS.sub(" ", text))
    return found | {match[0] for match in _RUN.finditer(bare) if _is_opaque(match[0])}


def _is_opaque(run: str) -> bool:
    """Whether a long run of characters is more likely a key than words: digits among letters."""
    return bool(re.search(r"[0-9]", run) and re.search(r"[A-Za-z]", run))
