"""JWTs that speak for a client (RFC 7523): as its authentication, or as the grant itself."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from joserfc.jws import JWSRegistry
from pydantic import JsonValue

from connectors.oauth2.definition import Assertion, TokenRequest
from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.parameters import render_json, render_text
from connectors.oauth2.signing_keys import ALGORITHMS, KeyProblem, SigningKey, read_key
from connectors.oauth2.templates import Rendering, TemplateError, parse

_NOTHING = Assertion()
# RFC 7519 section 4.1: each must be a number of seconds since the epoch.
_MOMENTS = frozenset({"exp", "nbf", "iat"})
_DIGITS = re.compile(r"[0-9]{1,15}")


def assertion_of(request: TokenRequest) -> Assertion | None:
    """The assertion that the request carries, with the defaults of its kind."""
    stated = request.assertion
    if request.client_authentication == "client_secret_jwt":
        stated = stated or _NOTHING
        return stated.model_copy(
            update={"algorithm": stated.algorithm or "HS256", "key": stated.key or "{{client_secret}}"}
        )
    if stated is None and request.client_authentication != "private_key_jwt":
        return None
    stated = stated or _NOTHING
    return stated.model_copy(update={"algorithm": stated.algorithm or "RS256"})


def names_of_defaults(request: TokenRequest) -> set[str]:
    """The variables that an assertion uses where the document says nothing else."""
    assertion = assertion_of(request)
    if assertion is None:
        return set()
    names = set() if {"iss", "sub"} <= assertion.claims.keys() else {"client_id"}
    stated = request.assertion.key if request.assertion else ""
    return names | ({"client_secret"} if assertion.key == "{{client_secret}}" and not stated else set())


def make_assertion(assertion: Assertion, rendering: Rendering, token_url: str) -> str:
    """The signed JWT. Raises `ValidationFailed` where the key can't sign it."""
    algorithm = parse(assertion.algorithm).render(rendering)
    key = _key(assertion, algorithm, rendering)
    key_id = parse(assertion.key_id).render(rendering) or key.key_id
    header = {"alg": algorithm, "typ": "JWT", **({"kid": key_id} if key_id else {})}
    return _signed(
        _with(header, assertion.headers, rendering), _claims(assertion, rendering, token_url), algorithm, key
    )


def _claims(assertion: Assertion, rendering: Rendering, token_url: str) -> Mapping[str, JsonValue]:
    client_id = rendering.values.get("client_id", "")
    issued_at = int(rendering.now.timestamp())
    supplied: dict[str, JsonValue] = {
        **({"iss": client_id, "sub": client_id} if client_id else {}),
        "aud": parse(assertion.audience).render(rendering) or token_url,
        "iat": issued_at,
        "exp": issued_at + assertion.lifetime,
        "jti": str(rendering.uuid),
    }
    claims = _with(supplied, assertion.claims, rendering)
    return {name: _moment(value) if name in _MOMENTS else value for name, value in claims.items()}


def _moment(value: JsonValue) -> JsonValue:
    """A number: a placeholder gives a text, which nobody takes as a moment."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


def _with(
    supplied: Mapping[str, JsonValue], stated: Mapping[str, JsonValue], rendering: Rendering
) -> dict[str, JsonValue]:
    """What is supplied, with what the document states instead; null takes away, what renders to nothing too."""
    rendered = {
        name: render_json(value, rendering)
        for name, value in stated.items()
        if value is not None and not (isinstance(value, str) and render_text(value, rendering) is None)
    }
    return {**{name: value for name, value in supplied.items() if name not in stated}, **rendered}


def _key(assertion: Assertion, algorithm: str, rendering: Rendering) -> SigningKey:
    problem = f"There is no algorithm “{algorithm[:20]}”. There are: {', '.join(ALGORITHMS)}."
    names = parse(assertion.algorithm).names
    if algorithm in ALGORITHMS:
        names = parse(assertion.key).names
        try:
            return read_key(parse(assertion.key).render(rendering), algorithm)
        except KeyProblem as error:
            problem = str(error)
    raise ValidationFailed(
        "The assertion can't be signed.",
        problem,
        f"Check what is filled in for {', '.join(sorted(names))}." if names else "Correct the definition.",
        fields=dict.fromkeys(names, problem),
    )


def _signed(header: Mapping[str, JsonValue], claims: Mapping[str, JsonValue], algorithm: str, key: SigningKey) -> str:
    # The library's own serialisation refuses header fields that it doesn't know and warns of EdDSA's name, by which
    # providers know it; the algorithms are the library's.
    signing_input = b".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    signature = JWSRegistry.algorithms[algorithm].sign(signing_input, key.key)
    return (signing_input + b"." + encoded(signature)).decode()


def encoded(octets: bytes) -> bytes:
    """Base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(octets).rstrip(b"=")


def key_problem(request: TokenRequest, variable: str, value: str) -> str:
    """What is wrong with the value of a variable that is the assertion's key, as a sentence that does not repeat it."""
    assertion = assertion_of(request)
    if assertion is None or not value:
        return ""
    blank = Rendering({variable: value}, datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))
    try:
        template, algorithm = parse(assertion.key), parse(assertion.algorithm)
        if template.names != {variable}:
            return ""
        read_key(template.render(blank), algorithm.source if algorithm.is_literal else None)
    except TemplateError:
        return ""  # told of when the definition is saved
    except KeyProblem as error:
        return str(error)
    return ""
