"""Whether a method's client certificate can be presented: there is one, its key is a secret, and TLS carries it."""

from collections.abc import Iterator

from connectors.oauth2.certificates import CertificateProblem, read_chain
from connectors.oauth2.client_authentication import BY_CERTIFICATE
from connectors.oauth2.definition import Tls, TokenRequest
from connectors.oauth2.method import Method, names_in
from connectors.oauth2.problems import Path, Problem
from connectors.oauth2.templates import TemplateError, parse

here: Path = ("token_request", "tls")
_WRITE = (
    'Write tls: {certificate: "{{certificate}}", private_key: "{{private_key}}"}, and two variables of these names '
    "with format: multiline, the key's with secret: true."
)


def check_tls(method: Method) -> Iterator[Problem]:
    for path, request in method.requests:
        yield from _check_request(method, request, (*path, "tls"))


def _check_request(method: Method, request: TokenRequest, here: Path) -> Iterator[Problem]:
    if request.tls is None:
        if request.client_authentication in BY_CERTIFICATE:
            yield Problem(here, f"{request.client_authentication} needs a certificate, but there is none.", _WRITE)
        return
    if request.url.lower().startswith("http://"):
        yield Problem(
            (*here[:-1], "url"),
            "A certificate is presented in TLS, but this address begins with http://.",
            "Write https://, or take `tls` away.",
        )
    yield from _check_certificate(request.tls, here)
    yield from _check_key(method, request.tls, here)


def _check_certificate(tls: Tls, here: Path) -> Iterator[Problem]:
    if not tls.certificate.strip():
        yield Problem((*here, "certificate"), "The certificate is empty.", _WRITE)
    elif "{{" not in tls.certificate:
        try:
            read_chain(tls.certificate)
        except CertificateProblem as error:
            yield Problem((*here, "certificate"), str(error), _WRITE)


def _check_key(method: Method, tls: Tls, here: Path) -> Iterator[Problem]:
    try:
        template = parse(tls.private_key)
    except TemplateError:
        return  # told of with the other placeholders
    if not tls.private_key.strip():
        yield Problem((*here, "private_key"), "The private key is empty.", _WRITE)
    elif template.is_literal:
        yield Problem(
            (*here, "private_key"),
            "A key that stands in the definition is no secret.",
            "Make it a secret variable, hidden if the operator supplies it, and refer to that.",
        )
    elif method.secret_keys.isdisjoint(method.behind(names_in(tls.private_key))):
        names = ", ".join(sorted(template.names))
        yield Problem(
            (*here, "private_key"),
            f"The key is made of {names}, which is not secret.",
            "Write secret: true at the variable.",
        )
