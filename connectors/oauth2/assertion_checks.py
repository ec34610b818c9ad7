"""Whether a method's assertion can be made: key, algorithm, and a place in the request."""

from collections.abc import Iterator

from connectors.oauth2.assertions import assertion_of
from connectors.oauth2.definition import Assertion, TokenRequest
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.problems import Path, Problem
from connectors.oauth2.signing_keys import ALGORITHMS, KEY_ALGORITHMS, SECRET_ALGORITHMS
from connectors.oauth2.template_checks import keys_with_placeholders
from connectors.oauth2.templates import TemplateError, parse


def check_assertion(method: Method) -> Iterator[Problem]:
    for path, request in method.requests:
        yield from _check_request(method, request, (*path, "assertion"))


def _check_request(method: Method, request: TokenRequest, here: Path) -> Iterator[Problem]:
    by_jwt = request.client_authentication in ("client_secret_jwt", "private_key_jwt")
    if by_jwt and request.is_jwt_grant:
        yield Problem(
            (*here, "as"),
            f"There is one assertion, but {request.client_authentication} and `as: grant` both need one.",
            "Write another client_authentication beside `as: grant`, such as none.",
        )
    if request.assertion is not None and not by_jwt and not request.is_jwt_grant:
        yield Problem(
            here,
            f"The assertion is never sent: client_authentication is {request.client_authentication}.",
            "Write client_authentication: private_key_jwt or client_secret_jwt, or `as: grant`.",
        )
        return
    assertion = assertion_of(request)
    if assertion is None:
        return
    yield from _check_key(method, assertion, here)
    yield from _check_algorithm(assertion, _algorithms(request), here)
    for name in ("claims", "headers"):
        yield from keys_with_placeholders((*here, name), getattr(assertion, name))
    if "alg" in assertion.headers:
        yield Problem((*here, "headers", "alg"), "The header alg says how it is signed.", "Write `algorithm` instead.")


def _algorithms(request: TokenRequest) -> tuple[str, ...]:
    if request.client_authentication == "client_secret_jwt":
        return SECRET_ALGORITHMS
    return KEY_ALGORITHMS if request.client_authentication == "private_key_jwt" else ALGORITHMS


def _check_algorithm(assertion: Assertion, allowed: tuple[str, ...], here: Path) -> Iterator[Problem]:
    try:
        template = parse(assertion.algorithm)
    except TemplateError:
        return  # told of with the other placeholders
    if template.is_literal and assertion.algorithm not in allowed:
        yield Problem(
            (*here, "algorithm"),
            f"The algorithm can't be “{assertion.algorithm[:20]}” here.",
            f"Write one of: {', '.join(allowed)}.",
        )


def _check_key(method: Method, assertion: Assertion, here: Path) -> Iterator[Problem]:
    try:
        template = parse(assertion.key)
    except TemplateError:
        return
    if not assertion.key.strip():
        yield Problem(
            (*here, "key"),
            "The assertion has no key.",
            'Write key: "{{private_key}}", and a variable private_key with secret: true and format: multiline.',
        )
    elif template.is_literal:
        yield Problem(
            (*here, "key"),
            "A key that stands in the definition is no secret.",
            "Make it a secret variable, hidden if the operator supplies it, and refer to that.",
        )
    elif method.secret_keys.isdisjoint(method.behind(names_in(assertion.key))):
        names = ", ".join(sorted(template.names))
        yield Problem(
            (*here, "key"), f"The key is made of {names}, which is not secret.", "Write secret: true at the variable."
        )
