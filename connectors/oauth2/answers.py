"""Reading an answer's body: JSON, form-encoded, else text."""

import json
import re
from urllib.parse import parse_qsl

from pydantic import JsonValue

from connectors.oauth2.http import HttpResponse
from connectors.oauth2.paths import Answer


def read_answer(response: HttpResponse) -> Answer:
    """Read the body as its Content-Type says; a mislabelled JSON object is still JSON. Never raises."""
    media_type, _, parameters = response.headers.get("Content-Type").partition(";")
    media_type = media_type.strip().lower()
    text = _decode(response.body, parameters)
    labelled_json = media_type.endswith(("/json", "+json", "/javascript"))
    if labelled_json or text.lstrip().startswith("{"):
        tree = _json(text)
        if labelled_json or isinstance(tree, dict):
            return Answer(tree, text, response.headers)
    if media_type == "application/x-www-form-urlencoded":
        return Answer(_form(text), text, response.headers)
    return Answer(None, text, response.headers)


def _decode(body: bytes, parameters: str) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace")
    match = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", parameters, re.IGNORECASE)
    try:
        text = body.decode(match[1] if match else "utf-8", errors="replace")
    except (LookupError, ValueError):
        # A label that names no text encoding (or one like "zlib") is worth nothing: UTF-8 is the likeliest.
        text = body.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff")


def _json(text: str) -> JsonValue:
    try:
        tree: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tree


def _form(text: str) -> JsonValue:
    try:
        return dict(reversed(parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=1000)))
    except ValueError:
        return None
