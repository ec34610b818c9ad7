"""The token request's body and Content-Type header as form fields: both are supplied by the body's format."""

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from connectors.admin.codecs import ROWS
from connectors.admin.rows import Row, parameters_of, plain
from connectors.admin.texts import unchanged
from connectors.oauth2.definition import TokenRequest
from connectors.oauth2.parameters import CONTENT_TYPES

_NAME = "Content-Type"
_DEFAULT_FORMAT = TokenRequest.model_fields["body_format"].default


def _format(request: Mapping[str, Any]) -> str:
    return str(request.get("body_format", _DEFAULT_FORMAT))


def content_type_row(request: Mapping[str, Any]) -> list[Row]:
    """The header that the body's format supplies, unless the document states one or there is no body."""
    stated = {name.lower() for name in request.get("headers") or {}}
    supplied = CONTENT_TYPES.get(_format(request))
    return [Row(_NAME, supplied)] if supplied and _NAME.lower() not in stated else []


def read_headers(typed: Sequence[Row], request: Mapping[str, Any], body_format: str) -> dict[str, Any]:
    """`{"headers": …}` as typed, or nothing where the document need not say it.

    A supplied Content-Type that was left alone stays unsaid and so goes on following the format; one that was removed
    is stated as null, because otherwise it would be sent all the same.
    """
    before = request.get("headers")
    supplied = content_type_row(request)
    is_stated = any(name.lower() == _NAME.lower() for name in before or {})
    silent = {CONTENT_TYPES.get(one) for one in (_format(request), body_format)}
    rows = [row for row in typed if is_stated or not _says(row, silent)]
    if supplied and body_format in CONTENT_TYPES and not any(row.name.lower() == _NAME.lower() for row in typed):
        rows = [Row(_NAME, "", off=True), *rows]
    if ROWS.is_unchanged(rows, before):
        return {"headers": before} if "headers" in request else {}
    return {"headers": parameters_of(rows, before)}


def _says(row: Row, media_types: Container[str | None]) -> bool:
    return row.name.lower() == _NAME.lower() and not row.off and row.value.strip() in media_types


def body_fields(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the two fields of the body show: its rows where rows can say it, else its text."""
    body = TokenRequest.model_validate({"url": "", **request}).parameters
    if _fits_rows(body, _format(request)):
        return {"body": ROWS.show(body), "body_text": ""}
    return {"body": [], "body_text": _as_text(body, _format(request))}


def _fits_rows(body: Any, body_format: str) -> bool:
    if body_format == "json" and isinstance(body, dict):
        # In JSON 1 and "1" differ, which rows can't tell.
        return all(item is None or isinstance(item, str) for item in body.values())
    return body is None or (isinstance(body, dict) and body_format == "form")


def _as_text(body: Any, body_format: str) -> str:
    return str(body) if body_format == "text" else json.dumps(body, indent=2, ensure_ascii=False)


def parse_json(text: str) -> Any:
    """JSON as RFC 8259 has it. Raises `ValueError` for anything else."""
    return json.loads(text, parse_constant=_no_json)


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def read_body(typed: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """`{"body": …}` as typed, or nothing where the document need not say it. Raises `ValueError` for broken JSON."""
    body_format = typed["body_format"]
    shown = body_fields(request)
    is_same_format = body_format == _format(request)
    same_rows = ROWS.is_unchanged(typed["body"], _mapping(request))
    if is_same_format and same_rows and unchanged(shown["body_text"], typed["body_text"]):
        return {"body": request["body"]} if "body" in request else {}
    if body_format == "none":
        return {}
    if body_format == "text":
        return {"body": plain(typed["body_text"])}
    if body_format == "json" and typed["body_text"].strip():
        return {"body": parse_json(typed["body_text"])}
    if same_rows and "body" not in request and _format(request) in ("form", "json"):
        return {}
    return _without_supplied(parameters_of(typed["body"], _mapping(request)), typed)


def _mapping(request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    body = TokenRequest.model_validate({"url": "", **request}).parameters
    return body if isinstance(body, dict) and _fits_rows(body, _format(request)) else None


def _without_supplied(body: dict[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing where the rows are no more than what the format supplies."""
    supplied = TokenRequest.model_validate({"url": "", "body_format": typed["body_format"]}).parameters
    return {} if body == supplied else {"body": body}
