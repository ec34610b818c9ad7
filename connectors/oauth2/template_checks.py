"""Whether every placeholder names something, every address can be one, and every path can be read."""

import re
from collections.abc import Callable, Collection, Iterator
from functools import partial

from connectors.oauth2.hosts import BadAddress, checked_base
from connectors.oauth2.method import TOKEN_NAMES, Method, Text, names_in
from connectors.oauth2.missing_names import behind_the_answer, in_base_url, in_request
from connectors.oauth2.paths import PathError, check_path
from connectors.oauth2.problems import Path, Problem
from connectors.oauth2.templates import NAME, TemplateError, parse
from connectors.oauth2.urls import UrlTemplate, parse_url

# What to do about a name that is not among those known.
Remedy = Callable[[str, Collection[str]], str]

PATHS = ("access_token", "token_type", "expires_in", "expires_at", "keep", "error", "error_description")


def check_templates(method: Method) -> Iterator[Problem]:
    """Placeholders and addresses of the method's sections."""
    variables = set(method.by_key)
    base = {"base_url"} if method.connector.base_url else set()
    after = variables | base | TOKEN_NAMES | method.response_names | method.step_names()
    for index in range(len(method.requests)):
        before = _known_before(method, index)
        for text in method.texts_of(index):
            yield from _check_names(text, before, partial(in_request, method=method, index=index))
    for text in method.api_texts():
        yield from _check_names(text, after, behind_the_answer)
    yield from _check_base_names(method)
    yield from _check_urls(method, after)
    yield from _check_paths(method)
    yield from _check_kept(method)


def _known_before(method: Method, index: int) -> set[str]:
    """What one of the method's requests can use; `{{base_url}}` only if no later answer is needed for it."""
    known = set(method.by_key) | method.step_names(index)
    return known | ({"base_url"} if method.connector.base_url and method.base_url_names <= known else set())


def _check_kept(method: Method) -> Iterator[Problem]:
    for index, step in enumerate(method.definition.steps):
        for name, path in step.keep.items():
            here = ("steps", index, "keep", name)
            if not NAME.fullmatch(f"{step.key}.{name}"):
                yield Problem(
                    here,
                    f"“{name}” can't be used as {{{{{step.key}.…}}}}.",
                    "Choose a name of letters, digits, _, - and dots.",
                )
            if not path.strip():
                yield Problem(here, "The path is empty.", "Write where it stands in the answer, such as data.session.")
            elif "{{" not in path:
                yield from _check_path(here, path)


def _check_base_names(method: Method) -> Iterator[Problem]:
    """`base_url` is the same for all of the connector's methods, so it can use none of theirs."""
    known = _connector_keys(method) | method.response_names | method.step_names()
    text = Text(("base_url",), method.connector.base_url)
    yield from _check_names(text, known, partial(in_base_url, method=method))


def _connector_keys(method: Method) -> set[str]:
    return {variable.key for variable in method.connector.variables}


def _check_names(text: Text, known: Collection[str], remedy: Remedy) -> Iterator[Problem]:
    try:
        names = parse(text.source).names
    except TemplateError as error:
        yield Problem(text.path, error.message, error.remedy)
        return
    for name in sorted(names - set(known)):
        yield Problem(text.path, f"{{{{{name}}}}} names nothing here.", remedy(name, known))


def _check_urls(method: Method, after: set[str]) -> Iterator[Problem]:
    test = method.definition.test_request
    for index, (path, request) in enumerate(method.requests):
        # An address with a name that doesn't exist has been told of already.
        before = _known_before(method, index)
        if names_in(request.url) <= before:
            yield from _check_url((*path, "url"), request.url, method.bases & before)
    if test is not None and names_in(test.url) <= after:
        yield from _check_url(("test_request", "url"), test.url, method.bases & after)
    known = _connector_keys(method) | method.response_names | method.step_names()
    if method.connector.base_url and method.base_url_names <= known:
        yield from check_base_url(method.connector.base_url, method.bases & known)


def check_base_url(source: str, bases: Collection[str]) -> Iterator[Problem]:
    """A base address takes a path behind it, so it may hold no query."""
    problems = list(_check_url(("base_url",), source, bases))
    yield from problems
    if not problems and parse_url(source, bases=bases).has_query:
        yield Problem(("base_url",), "The base address holds a query.", "Put the parameters into `api_request.query`.")


def _check_url(path: Path, source: str, bases: Collection[str]) -> Iterator[Problem]:
    try:
        url = parse_url(source, bases=bases)
    except TemplateError as error:
        yield Problem(path, error.message, error.remedy)
        return
    yield from _check_literal(path, url)


def _check_literal(path: Path, url: UrlTemplate) -> Iterator[Problem]:
    """What is literal in an address must be fine whatever the values are."""
    literal = "".join(part if isinstance(part, str) else "x" for part in url.tail).partition("?")[0]
    try:
        checked_base(f"https://x{literal}")
    except BadAddress as error:
        yield Problem(path, f"The address can't be used: {error}.", "Write the address as it is finally asked for.")


def _check_paths(method: Method) -> Iterator[Problem]:
    response = method.definition.token_response
    if not response.access_token.strip():
        yield Problem(
            ("token_response", "access_token"),
            "The path to the token is empty.",
            "Write where the token stands in the answer, such as access_token or data.token; `$` is the whole body.",
        )
    for text in method.token_texts():
        if (
            text.source.strip()
            and text.path[0] == "token_response"
            and text.path[1] in PATHS
            and "{{" not in text.source
        ):
            yield from _check_path(text.path, text.source)
    for name in response.kept:
        if not NAME.fullmatch(f"response.{name}"):
            yield Problem(
                ("token_response", "keep"),
                f"“{name}” can't be used as {{{{response.…}}}}.",
                "Write keep: {name: path} and choose a name of letters, digits, _ and dots.",
            )
    for path in method.definition.refresh.on_body:
        place = ("refresh", "on_body", path)
        if not path.strip():
            yield Problem(place, "The path is empty.", "Write where it stands in the API's answer, such as error.code.")
        yield from _check_path(place, path)


def _check_path(place: Path, path: str) -> Iterator[Problem]:
    try:
        check_path(path)
    except PathError as error:
        yield Problem(place, str(error))


def keys_with_placeholders(path: Path, value: object) -> Iterator[Problem]:
    """Names of parameters and header fields are plain text: a placeholder there would be sent as it stands."""
    if isinstance(value, dict):
        for key, item in value.items():
            if re.search(r"\{\{", key):
                yield Problem(
                    (*path, key),
                    "A placeholder can't stand in a name, only in a value.",
                    "Write the name itself, and the placeholder behind its colon.",
                )
            yield from keys_with_placeholders((*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from keys_with_placeholders((*path, index), item)
