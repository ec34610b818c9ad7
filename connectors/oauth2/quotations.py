"""A provider's words, made fit to show: no secret, no markup, one line, cut."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import quote, quote_plus

MAX_QUOTED = 300
_MASK = "•••"
# What is looked at beyond what is shown: room for markup and spaces that fall away.
_MAX_READ = 10_000
# What percent-encoding leaves alone beyond RFC 3986's unreserved characters: nothing; a path's slash; what Java's
# URLEncoder and JavaScript's encodeURIComponent and encodeURI leave.
_UNENCODED = ("", "/", "*", "!'()*", "!'()*;/?:@&=+$,#")
_TAG = re.compile(r"<[^<>]*>")
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]{0,100}")  # nothing is to be done to it
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def quotable(text: str, secrets: Iterable[str]) -> str:
    """A provider's words, safe to show: one line, cut, without markup or control characters, and without a secret."""
    if _PLAIN.fullmatch(text):
        secrets = tuple(secrets)
        if not secrets:
            return text
    text = masked(text, secrets)[:_MAX_READ]
    text = _INVISIBLE.sub(" ", _TAG.sub(" ", text))
    text = " ".join(text.split())
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"


def masked(text: str, secrets: Iterable[str]) -> str:
    """`text` with dots where it holds a secret, in whatever spelling providers use when they repeat a request."""
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):
        if len(spelling) > 3:
            text = text.replace(spelling, _MASK)
        elif spelling:
            # So short a secret would blank out parts of ordinary words.
            text = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", _MASK, text)
    return text


def _spellings(secret: str) -> Iterator[str]:
    octets = secret.encode(errors="replace")
    yield secret
    yield secret.strip()
    yield " ".join(secret.split())
    for encoded in (encode(octets, safe=safe) for safe in _UNENCODED for encode in (quote, quote_plus)):
        yield encoded
        yield re.sub("%..", lambda match: match[0].lower(), encoded)
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield text.replace("/", "\\/")
    yield escape(secret)
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(octets).decode().rstrip("=")
