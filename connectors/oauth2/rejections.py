"""Whether an API's answer means “this token is dead”."""

from typing import Any

from connectors.oauth2.answers import read_answer
from connectors.oauth2.definition import Refresh
from connectors.oauth2.http import HttpResponse
from connectors.oauth2.response import text_of


def body_says_dead(refresh: Refresh, response: HttpResponse) -> bool:
    """Whether the body of a 2xx answer says so (`refresh.on_body`)."""
    if not refresh.on_body or not 200 <= response.status < 300:
        return False
    answer = read_answer(response)
    return any(_holds(answer.find(path), values) for path, values in refresh.on_body.items())


def _holds(found: Any, values: list[Any]) -> bool:
    if found is None or isinstance(found, dict | list):
        return False
    return text_of(found) in {text_of(value) for value in values if value is not None}
