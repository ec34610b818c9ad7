"""Reading an answer's body: JSON, form-encoded, XML, else text."""

import json
import re
from functools import lru_cache
from urllib.parse import parse_qsl

from pydantic import JsonValue

from connectors.oauth2.http import HttpResponse
from connectors.oauth2.paths import Answer
from connectors.oauth2.xml_answers import declared_encoding, read_xml

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
# What an answer may say that it is written in. Python knows more under such names: "zlib", "idna", "unicode_escape".
_TEXT_ENCODING = re.compile(
    r"utf[-_]?(8|16|32)([-_]?[bl]e)?|(us[-_]?)?ascii|iso[-_]?8859[-_]\d{1,2}|latin[-_]?\d|(windows[-_]?|cp)125\d"
    r"|gb(2312|k|18030)|big5|euc[-_]?(jp|kr)|shift[-_]?jis|koi8[-_][ru]",
    re.IGNORECASE,
)


def read_answer(response: HttpResponse) -> Answer:
    """Read the body as its Content-Type says; a mislabelled JSON object is still JSON. Never raises."""
    media_type, encoding = _labels(response.headers.get("Content-Type"))
    labelled_xml = media_type.endswith(("/xml", "+xml"))
    text = _decode(response.body, encoding or (declared_encoding(response.body) if labelled_xml else ""))
    labelled_json = media_type.endswith(("/json", "+json", "/javascript"))
    if labelled_json or text.lstrip().startswith("{"):
        tree = _json(text)
        if labelled_json or isinstance(tree, dict):
            return Answer(tree, text, response.headers)
    if media_type == "application/x-www-form-urlencoded":
        return Answer(_form(text), text, response.headers)
    if labelled_xml:
        return Answer(None, text, response.headers, xml=read_xml(text))
    return Answer(None, text, response.headers)


@lru_cache(maxsize=256)
def _labels(content_type: str) -> tuple[str, str]:
    """Media type, and encoding if it is named."""
    media_type, _, parameters = content_type.partition(";")
    match = _CHARSET.search(parameters)
    return media_type.strip().lower(), match[1] if match else ""


def _decode(body: bytes, label: str) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace")
    # A label that names no encoding is worth nothing: UTF-8 is the likeliest.
    known = label if label and _TEXT_ENCODING.fullmatch(label) else "utf-8"
    try:
        text = body.decode(known, errors="replace")
    except LookupError:  # iso-8859-99
        text = body.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff")


def _json(text: str) -> JsonValue:
    tree: JsonValue = None
    for decoder in (_DECODER, _DECODER_OF_MANY_DIGITS):
        try:
            tree = decoder.decode(text)
            break
        except (ValueError, RecursionError):
            pass
    return tree


_DECODER = json.JSONDecoder()
# Python refuses to read whole numbers of thousands of digits: here they are infinite.
_DECODER_OF_MANY_DIGITS = json.JSONDecoder(parse_int=float)


def _form(text: str) -> JsonValue:
    try:
        return dict(reversed(parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=1000)))
    except ValueError:
        return None
