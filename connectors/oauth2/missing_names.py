"""What to do about a placeholder that means nothing where it stands, though it would elsewhere."""

from collections.abc import Collection
from difflib import get_close_matches

from connectors.oauth2.definition import SUPPLIED_KEYS
from connectors.oauth2.method import TOKEN_NAMES, Method
from connectors.oauth2.problems import did_you_mean

_NO_BASE_URL = "The connector has no `base_url`: give it one, or write the address out."
_OF_THE_ANSWER = "Only the answer brings it: `base_url`, `api_request` and `test_request` come late enough for it."


def in_request(name: str, known: Collection[str], *, method: Method, index: int) -> str:
    """The remedy for a name in one of the method's requests that is not among those `known` there."""
    if name in method.step_names() - method.step_names(index):
        return "A step can use only what the steps before it keep: change their order."
    if name == "base_url" and method.connector.base_url:
        return "Its address is known only when later answers are there: write the address out."
    if name in TOKEN_NAMES or name.startswith("response."):
        return f"{_OF_THE_ANSWER} {did_you_mean(name, known)}" if name in TOKEN_NAMES else _OF_THE_ANSWER
    return _NO_BASE_URL if name == "base_url" else did_you_mean(name, known)


def behind_the_answer(name: str, known: Collection[str]) -> str:
    """The remedy for a name in an API request."""
    if name == "base_url":
        return _NO_BASE_URL
    kept = [one for one in known if one.startswith("response.")]
    if name.startswith("response.") and not get_close_matches(name, kept, n=1):
        field = name.removeprefix("response.")
        return f"Only what is kept of the answer can be used: write keep: [{field}] into `token_response`."
    return did_you_mean(name, known)


def in_base_url(name: str, known: Collection[str], *, method: Method) -> str:
    """The remedy for a name in `base_url`, which is the same for all of the connector's methods."""
    if name.startswith("response."):
        field, key = name.removeprefix("response."), method.definition.key
        return f"Every method must keep it: write keep: [{field}] into the `token_response` of {key}."
    if name in SUPPLIED_KEYS:
        return f"{name} belongs to the methods: give the connector a variable of its own, with another key."
    if name in method.by_key:
        return f"{name} is a variable of one method: move it to the connector's own `variables`."
    if name in TOKEN_NAMES:
        return "The token goes into `api_request`, never into the API's address."
    return did_you_mean(name, known)
