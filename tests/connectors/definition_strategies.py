"""Documents as the format allows them: their shape is right, whether their parts fit together or not."""

import string
from typing import Any

from hypothesis import strategies as st

from connectors.oauth2.definition import SUPPLIED_KEYS, SUPPLIED_VARIABLES

Strategy = st.SearchStrategy[Any]

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["", "{{scope}}", "no", "0755", "a: b", "one\ntwo\n", "\n one\n\n", "1. A\n2. B"]
)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8).filter(
    str.strip  # white space alone is no name
)
KEYS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=4)
SCALARS = TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()
PARAMETERS = st.dictionaries(TEXTS, SCALARS | st.lists(SCALARS, max_size=2), max_size=3)
HEADERS = st.dictionaries(TEXTS, TEXTS | st.none(), max_size=3)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
PATHS = TEXTS | st.none()
STATUSES = st.lists(st.integers(100, 599), max_size=3)


def mapping(required: dict[str, Strategy], optional: dict[str, Strategy]) -> Strategy:
    return st.fixed_dictionaries(required, optional=optional)


VARIABLE_PARTS: dict[str, Strategy] = {
    "label": TEXTS,
    "help_text": TEXTS,
    "example": TEXTS,
    "default": TEXTS,
    "default_from_env": st.sampled_from(["", "A_NAME"]),
    "required": st.booleans(),
    "secret": st.booleans(),
    "display": st.sampled_from(["editable", "advanced", "read_only", "hidden"]),
    "pattern": TEXTS,
    "choices": st.lists(TEXTS | mapping({"value": TEXTS, "label": TEXTS}, {}), max_size=2),
    "format": st.sampled_from(["text", "multiline", "url", "hostname"]),
}
VARIABLE_KEYS = st.text(string.ascii_letters + "_", min_size=1, max_size=3)
AS_SUPPLIED = st.sampled_from(SUPPLIED_VARIABLES).map(lambda variable: variable.stated())


def variables(keys: Strategy) -> Strategy:
    named = mapping({"key": keys}, VARIABLE_PARTS)
    return st.lists(named, max_size=4, unique_by=lambda variable: variable["key"])


ASSERTION = mapping(
    {},
    {
        "algorithm": TEXTS,
        "key": TEXTS,
        "key_id": TEXTS,
        "audience": TEXTS,
        "lifetime": st.integers(1, 86_400),
        "claims": st.dictionaries(TEXTS, JSON, max_size=2),
        "headers": st.dictionaries(TEXTS, JSON, max_size=2),
        "as": st.sampled_from(["grant", None]),
    },
)
TOKEN_REQUEST = mapping(
    {"url": TEXTS},
    {
        "method": st.sampled_from(["POST", "GET"]),
        "client_authentication": st.sampled_from(
            ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]
        ),
        "basic_encoding": st.sampled_from(["rfc6749", "raw"]),
        "query": PARAMETERS | st.none(),
        "headers": HEADERS | st.none(),
        "body_format": st.sampled_from(["form", "json", "text", "none"]),
        "body": JSON,
        "assertion": ASSERTION | st.none(),
    },
)
TOKEN_RESPONSE = mapping(
    {},
    {
        "access_token": TEXTS,
        "token_type": PATHS,
        "expires_in": PATHS,
        "expires_in_unit": st.sampled_from(["s", "ms", "min"]),
        "expires_at": PATHS,
        "default_lifetime": st.integers(1, 86_400) | st.none(),
        "keep": st.lists(TEXTS, max_size=2) | st.dictionaries(TEXTS, TEXTS, max_size=2),
        "error": PATHS | st.lists(TEXTS, max_size=2),
        "error_description": PATHS | st.lists(TEXTS, max_size=2),
        "errors": mapping({}, {name: st.lists(TEXTS | st.integers(), max_size=2) for name in ("credentials", "retry")}),
    },
)
STEPS = st.lists(
    mapping(
        {"key": st.sampled_from(["login", "session", "a-1"]), "url": TEXTS},
        {
            "keep": st.dictionaries(TEXTS, TEXTS, max_size=2),
            "method": st.sampled_from(["POST", "GET"]),
            "client_authentication": st.sampled_from(["client_secret_basic", "private_key_jwt", "none"]),
            "query": PARAMETERS | st.none(),
            "headers": HEADERS | st.none(),
            "body_format": st.sampled_from(["form", "json", "text", "none"]),
            "body": JSON,
            "assertion": ASSERTION | st.none(),
        },
    ),
    max_size=3,
)
REFRESH = mapping(
    {},
    {
        "early": st.integers(0, 600),
        "on_status": STATUSES,
        "on_body": st.dictionaries(TEXTS, st.lists(SCALARS, max_size=2), max_size=2),
        "invalidates_previous": st.booleans(),
        "max_requests": st.sampled_from(["5/day"]) | st.none(),
    },
)
TEST_REQUEST = mapping({"url": TEXTS}, {"method": st.sampled_from(["GET", "POST", "HEAD"]), "expect_status": STATUSES})
METHOD_VARIABLES = variables(VARIABLE_KEYS | st.sampled_from(SUPPLIED_KEYS)) | st.lists(
    AS_SUPPLIED, max_size=3, unique_by=lambda variable: variable["key"]
)
METHODS = mapping(
    {"key": KEYS, "name": NAMES, "token_request": TOKEN_REQUEST},
    {
        "type": st.just("oauth2_client_credentials"),
        "instructions": TEXTS,
        "variables": METHOD_VARIABLES,
        "steps": STEPS,
        "token_response": TOKEN_RESPONSE,
        "api_request": mapping({}, {"headers": HEADERS | st.none(), "query": PARAMETERS | st.none()}),
        "refresh": REFRESH,
        "test_request": TEST_REQUEST | st.none(),
    },
)
CONNECTORS = mapping(
    {"kind": st.just("connector"), "key": st.just("service"), "name": NAMES},
    {
        "description": TEXTS,
        "category": TEXTS,
        "documentation_url": TEXTS,
        "base_url": TEXTS,
        "variables": variables(VARIABLE_KEYS),
        "auth_methods": st.lists(METHODS, max_size=3, unique_by=lambda method: method["key"]),
    },
)
