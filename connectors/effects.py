"""What a changed definition asks differently of tenants and sends differently to providers, in sentences."""

import json
from collections.abc import Iterator
from typing import Any

from connectors.document_changes import differences, same, value_at
from connectors.oauth2.definition import Variable
from connectors.oauth2.method import Method

LONGEST = 120  # characters of a value that are shown
# Of a variable these are words for the form; they break nothing and send nothing.
WORDS = frozenset({"label", "help_text", "example"})
_RULES = ("pattern", "choices", "format")

_SECTIONS = {
    "token_request.url": "Token URL",
    "token_request.method": "Method of the token request",
    "token_request.client_authentication": "Client authentication",
    "token_request.basic_encoding": "Encoding in Basic",
    "token_request.query": "Query of the token request",
    "token_request.headers": "Headers of the token request",
    "token_request.body_format": "Format of the body",
    "token_request.body": "Body of the token request",
    "token_request.assertion": "Assertion",
    "token_request": "Token request",
    "steps": "Steps before the token request",
    "token_response": "How the answer is read",
    "api_request.headers": "Headers of API requests",
    "api_request.query": "Query of API requests",
    "refresh": "Renewal",
    "test_request": "Test request",
    "base_url": "Base URL",
}
_SHOWN_BY = {
    "editable": "asked of the tenant's user",
    "advanced": "asked of the tenant's user, folded away",
    "read_only": "shown to the tenant's user, who can't change it",
    "hidden": "hidden from the tenant's user",
}


def is_same_in_use(before: Method, after: Method) -> bool:
    """Whether nothing that is sent, read or checked has changed: words for people may have."""
    return same(_in_use(before), _in_use(after))


def _in_use(method: Method) -> dict[str, Any]:
    in_order = sorted(method.variables, key=lambda variable: variable.key)
    variables = [variable.model_dump(mode="json", exclude=set(WORDS)) for variable in in_order]
    return {"requests": _requests(method), "variables": variables}


def _requests(method: Method) -> dict[str, Any]:
    """Everything that a method sends and reads, what the type supplies included."""
    words = {"key", "name", "type", "instructions", "variables"}
    document = method.definition.model_dump(mode="json", by_alias=True, exclude=words)
    document["token_request"]["body"] = method.definition.token_request.parameters
    return {"base_url": method.connector.base_url, **document}


def changed_requests(before: Method, after: Method) -> list[str]:
    """A sentence for each place of the requests that differs: `Token URL: “a” → “b”`."""
    old, new = _requests(before), _requests(after)
    return [
        f"{_place(path)}: {shown(value_at(old, path))} → {shown(value_at(new, path))}" for path in differences(old, new)
    ]


def _place(path: tuple[str, ...]) -> str:
    for length in (2, 1):
        label = _SECTIONS.get(".".join(path[:length]))
        if label and len(path) >= length:
            rest = ".".join(path[length:])
            return f"{label}, {rest}" if rest else label
    return ".".join(path)


def shown(value: Any) -> str:
    """A value for a person: cut, and a word for what is not there."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return f"“{text}”" if isinstance(value, str) else text


def changed_variables(before: Method, after: Method) -> list[str]:
    """A sentence for each variable that is new or gone, or is asked for or checked differently."""
    old = {variable.key: variable for variable in before.asked}
    new = {variable.key: variable for variable in after.asked}
    said = [_added(variable) for key, variable in new.items() if key not in old]
    said += [f"No longer asked for: {variable.title}." for key, variable in old.items() if key not in new]
    for key in new:
        said += _changed(old[key], new[key]) if key in old else ()
    return said


def _added(variable: Variable) -> str:
    if not variable.required:
        return f"New: {variable.title}, which may be left empty."
    if variable.default:
        return f"New: {variable.title}, with the default {shown(variable.default)}."
    return f"New and required: {variable.title}."


def _changed(old: Variable, new: Variable) -> Iterator[str]:
    if new.required != old.required:
        yield f"{new.title} is {'now required' if new.required else 'no longer required'}."
    if new.display != old.display:
        yield f"{new.title} is now {_SHOWN_BY[new.display]}; values that were filled in stay in use."
    if not same(old.default, new.default):
        yield (
            f"Default of {new.title}: {shown(old.default)} → {shown(new.default)}, "
            "for every instance without a value of its own."
        )
    if new.secret != old.secret:
        yield f"{new.title} is {'now' if new.secret else 'no longer'} secret."
    if any(getattr(old, name) != getattr(new, name) for name in _RULES):
        yield f"{new.title} takes other values than before."
    if new.default_from_env != old.default_from_env:
        yield f"{new.title} is read from the environment as {shown(new.default_from_env or None)}."
