"""Assertions of the catalogue's entries: keys to sign them with, and what a JWT that was sent says.

A key is made anew for every run, and a signature may differ each time, so neither is recorded: what is recorded is
what the JWT says, and its signature is checked.
"""

import json
import re
from typing import Any

from connectors.oauth2.assertions import assertion_of
from connectors.oauth2.method import Method
from connectors.oauth2.templates import Rendering, parse
from tests.connectors.oauth2.jwt_keys import decoded, key_for, pem, verified

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----[^$]*$")
_JWT = re.compile(r"eyJ[\w\-]+\.eyJ[\w\-]+\.[\w\-]+")


def private_key(method: Method, variable: str, rendering: Rendering) -> str | None:
    """A key that fits the algorithm, if the method signs with that variable and it is no shared secret."""
    assertion = assertion_of(method.definition.token_request)
    if assertion is None or variable not in parse(assertion.key).names:
        return None
    algorithm = parse(assertion.algorithm).render(rendering)
    return None if algorithm.startswith("HS") else pem(key_for(algorithm))


def without_keys(given: dict[str, str]) -> dict[str, str]:
    """What was given, with what kind of PEM it is in place of what is made anew for every run."""
    return {key: _PEM.sub(r"\1", value) if value.startswith("-----BEGIN") else value for key, value in given.items()}


def without_jwt(text: str) -> str:
    return _JWT.sub("JWT", text)


def said(text: str, secret: str) -> dict[str, Any]:
    """The header and the claims of the JWT in a text, if there is one. Raises where another key has signed it."""
    found = _JWT.search(text)
    if found is None:
        return {}
    algorithm = json.loads(decoded(found[0].partition(".")[0]))["alg"]
    header, claims = verified(found[0], secret.encode() if algorithm.startswith("HS") else key_for(algorithm))
    return {"assertion": {"header": header, "claims": claims}}
