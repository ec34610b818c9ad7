"""The TLS contexts of a process, and what a failed handshake means."""

import ssl
import threading
from collections import OrderedDict
from pathlib import Path

import certifi
from django.core.exceptions import ImproperlyConfigured

from connectors.client_certificates import load
from connectors.oauth2.certificates import ClientCertificate

MAX_CONTEXTS = 64  # each with a client certificate; half a megabyte apiece with the system's authorities
_contexts: dict[str, ssl.SSLContext] = {}
_presenting: OrderedDict[tuple[str, str], ssl.SSLContext] = OrderedDict()
_lock = threading.Lock()

# OpenSSL's X509_V_ERR_ numbers (x509_vfy.h).
_EXPIRED, _NOT_YET_VALID = 10, 9
_NO_TRUSTED_ISSUER = frozenset({18, 19, 20, 21})
_WRONG_NAME = frozenset({62, 64})


def context(ca_file: str = "", certificate: ClientCertificate | None = None) -> ssl.SSLContext:
    """The client's context that trusts the system's authorities and those in `ca_file` (PEM); made once a process.

    One that presents a certificate is kept for as long as it is among those used last. Reading the authorities costs
    some 20 ms of CPU, a hundred times a request: hence never a context per request.
    Raises ImproperlyConfigured if `ca_file` can't be used, ValidationFailed if the certificate can't.
    """
    if certificate is not None:
        return _that_presents(certificate, ca_file)
    made = _contexts.get(ca_file)
    if made is None:
        with _lock:
            made = _contexts.get(ca_file) or _contexts.setdefault(ca_file, _make(ca_file))
    return made


def _that_presents(certificate: ClientCertificate, ca_file: str) -> ssl.SSLContext:
    key = (ca_file, certificate.fingerprint)
    with _lock:
        made = _presenting.get(key)
        if made is not None:
            _presenting.move_to_end(key)
            return made
    made = _make(ca_file)
    load(made, certificate)
    with _lock:
        made = _presenting.setdefault(key, made)
        _presenting.move_to_end(key)
        if len(_presenting) > MAX_CONTEXTS:
            _presenting.popitem(last=False)
    return made


def _make(ca_file: str) -> ssl.SSLContext:
    # Not ssl.create_default_context(): that writes the sessions' secrets to a file if SSLKEYLOGFILE is set.
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    made.load_default_certs()
    if not _system_has_authorities(made):
        made.load_verify_locations(certifi.where())
    if ca_file:
        _add(made, ca_file)
    return made


def _system_has_authorities(made: ssl.SSLContext) -> bool:
    # A hashed folder of authorities is read as they are needed, so the context's own count may say 0.
    folder = ssl.get_default_verify_paths().capath
    return made.cert_store_stats()["x509_ca"] > 0 or (folder is not None and any(Path(folder).glob("*.0")))


def _add(made: ssl.SSLContext, ca_file: str) -> None:
    try:
        made.load_verify_locations(ca_file)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or str(error)
    else:
        return
    raise ImproperlyConfigured(
        f"OUTBOUND_CA_FILE names {ca_file}, which can't be used: {reason}. Name a readable file of PEM certificates."
    )


def explain(error: ssl.SSLError, host: str) -> tuple[str, str]:
    """Why the handshake with `host` failed, and the remedy: a sentence each."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The TLS handshake failed ({_cause(error)}).",
            "Check that the address and port speak https with TLS 1.2 or later.",
        )
    code = error.verify_code
    if code in _NO_TRUSTED_ISSUER:
        return (
            "Its certificate is signed by an authority that isn't trusted here.",
            "If the host is your own, put its authority's certificate (PEM) into the file that OUTBOUND_CA_FILE names.",
        )
    if code in _WRONG_NAME:
        return f"Its certificate is for another name than {host}.", "Check the host in the address."
    if code in (_EXPIRED, _NOT_YET_VALID):
        when = "has expired" if code == _EXPIRED else "is not valid yet"
        return f"Its certificate {when}.", "Whoever runs the host must renew it; check this machine's clock too."
    return f"Its certificate was not accepted ({error.verify_message}).", "Whoever runs the host must mend it."


def _cause(error: ssl.SSLError) -> str:
    return (error.reason or "no reason given").replace("_", " ").lower()
