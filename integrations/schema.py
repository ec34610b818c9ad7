"""The JSON Schema of the definition format: what its types say, and what of the checks behind them a schema can say.

An editor marks with it what `connectors check` would refuse, while somebody types. It never refuses what that accepts.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from connectors.oauth2 import definition

Rule = Mapping[str, Any]

_SCALARS = ["string", "number", "boolean", "null"]
_FORM = {
    "type": ["object", "null"],
    "additionalProperties": {"type": [*_SCALARS, "array"], "items": {"type": _SCALARS}},
    "propertyNames": {"minLength": 1},
}
_NAMED: Rule = {"propertyNames": {"minLength": 1}}
_NOT_EMPTY: Rule = {"pattern": definition.NOT_BLANK}
_NOT_RESERVED: Rule = {"not": {"enum": list(definition.RESERVED_NAMES)}}
_BUDGET = r"^\s*[0-9]{1,9}\s*/\s*([0-9]{1,4}\s*)?(second|minute|hour|day|week|month)s?\s*$"


def _when(key: str, value: Rule, then: Rule, *, stated: bool = True) -> Rule:
    """Where `key` is as `value` says (and, if `stated`, is there at all), `then` holds too."""
    condition: dict[str, Any] = {"properties": {key: value}}
    return {"if": {**condition, "required": [key]} if stated else condition, "then": then}


_REQUEST = (
    _when("method", {"const": "GET"}, {"required": ["body_format"], "properties": {"body_format": {"const": "none"}}}),
    _when("body_format", {"const": "form"}, {"properties": {"body": _FORM}}, stated=False),
    _when("body_format", {"const": "text"}, {"required": ["body"], "properties": {"body": {"type": "string"}}}),
    _when("body_format", {"const": "none"}, {"properties": {"body": {"enum": [None, {}, "", [], 0, False]}}}),
)
# By the section's name: rules over several of its keys.
_RULES: Mapping[str, tuple[Rule, ...]] = {
    "TokenRequest": _REQUEST,
    "Step": _REQUEST,
    "Variable": (
        _when("secret", {"const": True}, {"properties": {"default": {"const": ""}}}),
        _when(
            "default_from_env",
            {"minLength": 1},
            {"required": ["display"], "properties": {"display": {"enum": ["read_only", "hidden"]}}},
        ),
    ),
}
# By section and key: what more than its type a value has to be.
_VALUES: Mapping[tuple[str, str], Rule] = {
    ("ApiRequest", "query"): _NAMED,
    ("Connector", "documentation_url"): {"pattern": r"^([Hh][Tt][Tt][Pp][Ss]?://.*)?$"},
    ("Integration", "allowed_origins"): {"items": {"type": "string", "pattern": r"^https?://[^/]+$"}},
    ("Integration", "allowed_redirects"): {"items": {"type": "string", "pattern": r"^https?://[^/]+/"}},
    ("Integration", "components"): {"additionalProperties": False},  # whose names are patterns of properties
    ("Refresh", "max_requests"): {"pattern": _BUDGET},
    ("Refresh", "on_body"): _NAMED,
    ("Step", "key"): _NOT_RESERVED,
    ("Step", "query"): _NAMED,
    ("Step", "url"): _NOT_EMPTY,
    ("TestRequest", "url"): _NOT_EMPTY,
    ("Tls", "certificate"): _NOT_EMPTY,
    ("Tls", "private_key"): _NOT_EMPTY,
    ("TokenRequest", "query"): _NAMED,
    ("TokenRequest", "url"): _NOT_EMPTY,
    ("TokenResponse", "access_token"): _NOT_EMPTY,
    ("Variable", "choices"): {"uniqueItems": True},
    ("Variable", "default_from_env"): {"pattern": r"^([A-Za-z_][A-Za-z0-9_]*)?$"},
    ("Variable", "key"): _NOT_RESERVED,
}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the format (draft 2020-12): of either kind of document."""
    schema = TypeAdapter(definition.Document).json_schema(mode="validation")
    schema.pop("discriminator")  # a word of OpenAPI; `kind` is a constant in either branch
    sections = schema["$defs"]
    for name, rules in _RULES.items():
        sections[name]["allOf"] = list(rules)
    for (name, key), rule in _VALUES.items():
        sections[name]["properties"][key].update(rule)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Latchkey definition",
        "description": "A connector or an integration. A YAML file may hold several, with --- between them.",
        **schema,
    }
