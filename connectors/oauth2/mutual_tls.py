"""The client certificate of a request: its values looked at when they are given, put together when it is made."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from connectors.oauth2.certificates import (
    CertificateProblem,
    ClientCertificate,
    KeyMismatch,
    check_pair,
    check_time,
    client_certificate,
    read_chain,
)
from connectors.oauth2.definition import Tls, TokenRequest, Variable
from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.signing_keys import KeyProblem, read_key
from connectors.oauth2.templates import Rendering, TemplateError, parse


def presented(request: TokenRequest, rendering: Rendering) -> ClientCertificate | None:
    """The certificate of requests with `token_request.tls`. Raises `ValidationFailed` where it can't be presented."""
    if request.tls is None:
        return None
    place, problem = "certificate", ""
    try:
        return client_certificate(*_rendered(request.tls, rendering))
    except (KeyProblem, KeyMismatch) as error:
        place, problem = "private_key", str(error)
    except CertificateProblem as error:
        problem = str(error)
    raise _refused(request.tls, place, problem)


def check_valid(request: TokenRequest, rendering: Rendering) -> None:
    """Raise `ValidationFailed` where the certificate has expired, or is not valid yet."""
    if request.tls is None:
        return
    problem = ""
    try:
        check_time(read_chain(_rendered(request.tls, rendering)[0])[0], rendering.now)
    except CertificateProblem as error:
        problem = str(error)
    if problem:
        raise _refused(request.tls, "certificate", problem)


def value_problem(request: TokenRequest, variable: Variable, value: str, now: datetime | None) -> str:
    """What is wrong with the value of a variable that is the certificate or its key, as a sentence without it.

    `now` None: how long the certificate is valid is not looked at.
    """
    tls = request.tls
    if tls is None or not value:
        return ""
    given = {variable.key: value}
    if "PRIVATE KEY-----" in value and not variable.secret and _is_made_of(tls.certificate, variable.key):
        return (
            "There is a private key in this, but it would be shown to everyone who may see the certificate. Paste the "
        )
        "certificate without it."
    if _is_made_of(tls.private_key, variable.key):
        problem = _said(lambda: read_key(_only(tls.private_key, given), None))
        if problem:
            return problem
    if _is_made_of(tls.certificate, variable.key):
        return _said(lambda: _look_at(_only(tls.certificate, given), now))
    return ""


def pair_problem(request: TokenRequest, given: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a certificate and a key that are given, each fine by itself: said at the key's variable."""
    tls = request.tls
    keys = [key for key in given if tls is not None and given[key] and _is_made_of(tls.private_key, key)]
    certificates = [key for key in given if tls is not None and given[key] and _is_made_of(tls.certificate, key)]
    if tls is None or not keys or not certificates:
        return {}
    try:
        check_pair(read_chain(_only(tls.certificate, given)), read_key(_only(tls.private_key, given), None))
    except KeyMismatch as error:
        return {keys[0]: str(error)}
    except (KeyProblem, CertificateProblem):
        return {}  # said of the value itself
    return {}


def _look_at(chain: str, now: datetime | None) -> None:
    certificate = read_chain(chain)[0]
    if now is not None:
        check_time(certificate, now)


def _said(look: Callable[[], object]) -> str:
    try:
        look()
    except (KeyProblem, CertificateProblem) as error:
        return str(error)
    return ""


def _is_made_of(source: str, variable: str) -> bool:
    """Whether a template is made of this one variable: then its value can be looked at by itself."""
    try:
        return parse(source).names == {variable}
    except TemplateError:
        return False  # told of when the definition is saved


def _only(source: str, given: Mapping[str, str]) -> str:
    return parse(source).render(Rendering(dict(given), datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0)))


def _rendered(tls: Tls, rendering: Rendering) -> tuple[str, str]:
    return parse(tls.certificate).render(rendering), parse(tls.private_key).render(rendering)


def _refused(tls: Tls, place: str, problem: str) -> ValidationFailed:
    names = sorted(parse(getattr(tls, place)).names)
    return ValidationFailed(
        "The client certificate can't be presented.",
        problem,
        f"Check what is filled in for {', '.join(names)}." if names else "Correct the definition.",
        fields=dict.fromkeys(names, problem),
    )
