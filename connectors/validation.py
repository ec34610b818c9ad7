"""Whether data has the shape of the definition format: pydantic's findings in sentences of ours.

A branch of a union leaves its name in pydantic's locations; here every problem stands at a path of the data.
"""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connectors.oauth2 import definition
from connectors.oauth2.definition import NOT_BLANK, VARIABLE_KEY_PATTERN, Section
from connectors.oauth2.problems import Path, Problem

# Those that people look for a key in; steps have what a token request has.
_HOMES: Mapping[str, type[Section]] = {
    "the connector, beside `auth_methods`": definition.Connector,
    "the authentication method": definition.AuthMethod,
    "the variable": definition.Variable,
    "`token_request`": definition.TokenRequest,
    "`token_request.assertion`": definition.Assertion,
    "`token_request.tls`": definition.Tls,
    "`token_response`": definition.TokenResponse,
    "`token_response.errors`": definition.ErrorRules,
    "`api_request`": definition.ApiRequest,
    "`refresh`": definition.Refresh,
    "`test_request`": definition.TestRequest,
    "the integration": definition.Integration,
    "the integration's component": definition.Component,
}

Model = TypeVar("Model", bound=Section)
# How a scalar is written in the file, by path: `0.50`, which the data no longer shows.
Written = Callable[[Path], str]

_WANTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "null",
}
_REMEDIES = {
    "a text": "Write one text.",
    "true or false": "Write true or false.",
    "a whole number": "Write digits alone, such as 300.",
    "a number": "Write a number.",
    "a list": "Write it as [one, two], or each entry behind a hyphen on a line of its own.",
    "a mapping": "Write it as {key: value}, or each `key: value` on a line of its own.",
}
# Texts that people take for numbers.
_EXAMPLES = {"max_requests": "Write how many in which time, such as 5/day or 100/hour."}
_BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
}


def validated(
    model: type[Model], data: object, *, written: Written | None = None
) -> tuple[Model | None, list[Problem]]:
    """`data` as `model`, or everything that is wrong with its shape."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    return None, list(_problems(model, data, details, written or (lambda path: _spelled(_at(data, path)))))


def _problems(model: type[Section], data: object, details: list[ErrorDetails], written: Written) -> Iterator[Problem]:
    at: dict[Path, list[ErrorDetails]] = {}
    for detail in details:
        at.setdefault(_path(data, detail), []).append(detail)
    for path, found in at.items():
        mismatches = [detail for detail in found if detail["type"] in _WANTED]
        # Where one kind of value fits but for something deeper inside, only that is worth saying.
        inside = any(len(other) > len(path) and other[: len(path)] == path for other in at)
        if mismatches and not inside and len(mismatches) == len(found):
            yield _mismatch(path, data, mismatches, written)
        for detail in found:
            if detail not in mismatches:
                yield _problem(model, path, data, detail)


def _path(data: object, detail: ErrorDetails) -> Path:
    """The error's location without the names of unions' branches."""
    path: Path = ()
    here: Any = data
    for part in detail["loc"]:
        in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if in_list or (isinstance(here, Mapping) and part in here):
            here = here[part]
            path = (*path, part)
    return (*path, detail["loc"][-1]) if detail["type"] == "missing" else path


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _mismatch(path: Path, data: object, details: list[ErrorDetails], written: Written) -> Problem:
    value = _at(data, path)
    wanted = list(dict.fromkeys(_WANTED[detail["type"]] for detail in details))
    source = written(path)
    if value is None:
        remedy = 'Write "" for an empty text, or remove the key.' if "a text" in wanted else "Remove the key."
        return Problem(path, f"There is no value here; {_either(wanted)} is expected.", remedy)
    if isinstance(value, bool) and "a text" in wanted:
        return Problem(path, f"{source} is a truth value.", f'Write "{source}" in quotes, or another text.')
    if isinstance(value, int | float) and not isinstance(value, bool) and "a text" in wanted:
        return Problem(path, f"{source} is a number.", _EXAMPLES.get(str(path[-1]), f'Write "{source}" in quotes.'))
    if isinstance(value, str) and "true or false" in wanted:
        return Problem(path, f"{_quoted(value)} is a text.", "Write true or false, without quotes.")
    if isinstance(value, str) and "a whole number" in wanted and value.isdecimal():
        return Problem(path, f"{_quoted(value)} is a text.", f"Write {value} without quotes.")
    remedy = next((_REMEDIES[one] for one in wanted if one in _REMEDIES), "")
    return Problem(path, f"This is {_kind(value)}, but {_either(wanted)} is expected.", remedy)


def _problem(model: type[Section], path: Path, data: object, detail: ErrorDetails) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    value = detail["input"]
    if kind == "missing":
        parent = section_at(model, path[:-1])
        described = parent.model_fields[str(path[-1])].description or "" if str(path[-1]) in parent.model_fields else ""
        return Problem(path, f"The key `{path[-1]}` is missing.", f"Add `{path[-1]}: …`. {described}".strip())
    if kind == "extra_forbidden":
        return _unknown(model, path)
    if kind == "literal_error":
        return _not_among(path, value, str(context.get("expected", "")))
    if kind == "string_pattern_mismatch" and context.get("pattern") == NOT_BLANK:
        return Problem(path, "This is empty.", "Write a text.")
    if kind == "string_pattern_mismatch":
        begin = "begin with a letter or an underscore" if context.get("pattern") == VARIABLE_KEY_PATTERN else ""
        rule = begin or "begin and end with a letter or a digit"
        return Problem(
            path, f"{_quoted(value)} can't be a key.", f"Use letters, digits, hyphens and underscores; {rule}."
        )
    if kind == "string_too_long":
        return Problem(path, f"This is longer than {context.get('max_length'):,} characters.", "Shorten it.")
    if kind == "string_too_short":
        return Problem(path, "This is empty.", "Write a text.")
    if kind == "too_long":
        most = context.get("max_length")
        return Problem(path, f"These are {len(value)}, but there can be {most} at most.", "Remove the others.")
    if kind in _BOUNDS:
        bound = _BOUNDS[kind].format(**context)
        return Problem(path, f"{value} is out of range.", f"Write a number that is {bound}.")
    return Problem(path, f"{_kind(value).capitalize()} like this can't stand here.", "Compare it with the format.")


def _unknown(model: type[Section], path: Path) -> Problem:
    known = [field.alias or name for name, field in section_at(model, path[:-1]).model_fields.items()]
    key = str(path[-1])
    close = get_close_matches(key, known, n=1)
    guess = f"Did you mean {close[0]}? " if close else ""
    return Problem(path, f"Unknown key `{key}`.", f"{_home(key) or guess}Keys here: {', '.join(known)}.")


def _home(key: str) -> str:
    """Where a key belongs that stands in the wrong section."""
    homes = [name for name, section in _HOMES.items() if key in section.model_fields]
    return f"It belongs to {homes[0]}. " if len(homes) == 1 else ""


def _not_among(path: Path, value: object, expected: str) -> Problem:
    allowed = expected.replace("'", "").replace(" or ", ", ").split(", ")
    remedy = f"Write one of: {', '.join(allowed)}."
    if not isinstance(value, str):
        wrong = "There is no value here." if value is None else f"{_kind(value).capitalize()} can't stand here."
        return Problem(path, wrong, remedy)
    close = get_close_matches(value.lower(), allowed, n=1)
    guess = f"Did you mean {close[0]}? " if close else ""
    return Problem(path, f"{_quoted(value)} can't stand here.", guess + remedy)


def section_at(model: type[Section], path: Path) -> type[Section]:
    """The section that stands at `path` of a document of `model`."""
    for part in path:
        stated = model.model_fields.get(part) if isinstance(part, str) else None
        model = next(_sections(stated.annotation), model) if stated is not None else model
    return model


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)


def _either(wanted: list[str]) -> str:
    wanted = [one for one in wanted if one != "a whole number" or "a number" not in wanted]
    return wanted[0] if len(wanted) == 1 else f"{', '.join(wanted[:-1])} or {wanted[-1]}"


def _kind(value: object) -> str:
    kinds = (
        (bool, "a truth value"),
        (int | float, "a number"),
        (str, "a text"),
        (list, "a list"),
        (Mapping, "a mapping"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "nothing")


def _quoted(value: object) -> str:
    text = str(value)
    return f"“{text if len(text) <= 60 else text[:59] + '…'}”"


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
