"""How a body in JSON is read."""

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser


class StrictParser(Parser):
    """Takes no name twice in one object: what comes of it differs from one reader to the next (RFC 8259 section 4)."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises `ValueError`, which django-ninja makes a refusal of."""
        return json.loads(request.body, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("A name is there twice.")  # which one may be a secret
    return read
