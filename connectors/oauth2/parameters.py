"""Query parameters, header fields and bodies: mappings of templates, rendered into what is sent."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote, quote_plus, urlencode

from pydantic import JsonValue

from connectors.oauth2.errors import ResponseNotUnderstood, ValidationFailed
from connectors.oauth2.http import Headers
from connectors.oauth2.templates import Rendering, parse

Pairs = list[tuple[str, str]]

CONTENT_TYPES = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
}

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def render_text(source: str, rendering: Rendering) -> str | None:
    """The text, or None where an empty result is left out (contract: a literal "" and `or ""` are sent empty)."""
    template = parse(source)
    return template.render(rendering) or ("" if template.keeps_empty else None)


def render_pairs(parameters: Mapping[str, object] | None, rendering: Rendering) -> Pairs:
    """Form or query parameters: scalars, and lists that repeat their key."""
    pairs: Pairs = []
    for key, value in (parameters or {}).items():
        for item in value if isinstance(value, list) else [value]:
            text = _scalar(item, rendering)
            if text is not None:
                pairs.append((key, text))
    return pairs


def _scalar(value: object, rendering: Rendering) -> str | None:
    if isinstance(value, str):
        return render_text(value, rendering)
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def render_json(value: JsonValue, rendering: Rendering) -> JsonValue:
    """Any JSON, its strings rendered; in an object or a list, one that renders to nothing is left out."""
    if isinstance(value, str):
        return parse(value).render(rendering)
    if isinstance(value, dict):
        return {key: render_json(item, rendering) for key, item in value.items() if not _is_left_out(item, rendering)}
    if isinstance(value, list):
        return [render_json(item, rendering) for item in value if not _is_left_out(item, rendering)]
    return value


def _is_left_out(value: JsonValue, rendering: Rendering) -> bool:
    return isinstance(value, str) and render_text(value, rendering) is None


def render_headers(fields: Mapping[str, str | None] | None, rendering: Rendering) -> Headers:
    """Header fields. Raises for a value with a line break, which would forge another field: `ValidationFailed`, or
    `ResponseNotUnderstood` where the value comes from the provider's answer.
    """
    rendered: Pairs = []
    for name, source in (fields or {}).items():
        text = None if source is None else render_text(source, rendering)
        if text is None:
            continue
        if _UNSENDABLE.search(text):
            raise _unsendable(name, sorted(parse(source or "").names))
        rendered.append((name, text.strip()))
    return Headers(tuple(rendered))


def _unsendable(header: str, names: list[str]) -> ValidationFailed | ResponseNotUnderstood:
    why = "Its value holds a line break or another control character."
    if any("." in name for name in names):
        return ResponseNotUnderstood(
            "The provider's answer can't be used.",
            f"The header {header} can't be made of {', '.join(names)}: it would hold a line break.",
            "The administrator should compare the definition's `keep` with the provider's answer.",
        )
    return ValidationFailed(
        f"The header {header} can't be sent.",
        why,
        f"Check what is filled in for {', '.join(names)}." if names else "",
        fields=dict.fromkeys(names, "A line break or control character can't be sent in a header."),
    )


def encode_form(pairs: Pairs) -> bytes:
    return "&".join([f"{_key_encoded(key)}={_form_encoded(value)}" for key, value in pairs]).encode()


@lru_cache(maxsize=4096)
def _key_encoded(key: str) -> str:
    return _form_encoded(key)


def _form_encoded(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote_plus(text)


def encode_json(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def add_query(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    """`url` with further query parameters behind those that it has."""
    if not pairs:
        return url
    added = urlencode(pairs, quote_via=quote, safe="")
    return f"{url}{'' if url.endswith(('?', '&')) else '&' if '?' in url else '?'}{added}"
