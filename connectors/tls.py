"""The TLS contexts of a process, and what a failed handshake means."""

import os
import ssl
import tempfile
import threading
from collections import OrderedDict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import certifi
from django.conf import settings
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
WRONG_NAME = 62  # a host's
_WRONG_NAME = frozenset({WRONG_NAME, 64})


class Bundle(NamedTuple):
    """Paths of PEM files: one with authorities, and a folder of them by their hashes; empty: none."""

    file: str
    folder: str


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
    return made.cert_store_stats()["x509_ca"] > 0 or bool(_system_folder())


def _system_folder() -> str:
    """The system's hashed folder of authorities, if there are any in it."""
    folder = ssl.get_default_verify_paths().capath
    return folder if folder and any(Path(folder).glob("*.0")) else ""


def _system_file() -> str:
    """The system's file of authorities, if there are any in it."""
    file = ssl.get_default_verify_paths().cafile
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        probe.load_verify_locations(file)
    except (OSError, TypeError):  # there is none, or none in it
        return ""
    return file or ""


@lru_cache(maxsize=8)
def bundle(ca_file: str = "") -> Bundle:
    """Whom `context` trusts, as files: for libcurl, which reads no context of Python's.

    Raises ImproperlyConfigured if `ca_file` can't be used.
    """
    context(ca_file)
    file = _system_file()
    # Not beside a file, which has the same ones: with a folder libcurl reads that file anew for each connection.
    folder = "" if file else _system_folder()
    if not folder and not file:
        file = certifi.where()
    if not ca_file:
        return Bundle(file, folder)
    return Bundle(_kept(b"\n".join(Path(path).read_bytes() for path in (file, ca_file) if path)), folder)


def _kept(authorities: bytes) -> str:
    """A file with these: it is read again with later connections, so not where old files are cleared away."""
    name = f"authorities-{sha256(authorities).hexdigest()[:16]}.pem"
    try:
        return _kept_in(Path(settings.VAR_DIR), name, authorities)
    except OSError:  # it can't be written to
        return _kept_in(Path(tempfile.mkdtemp(prefix="latchkey-")), name, authorities)


def _kept_in(folder: Path, name: str, text: bytes) -> str:
    place = folder / name
    if not place.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(prefix=name, dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        Path(path).replace(place)  # whole at once: other processes make the same
    return str(place)


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
        return handshake_failed(error.reason or "")
    return distrusted(error.verify_code, error.verify_message, host)


def handshake_failed(reason: str) -> tuple[str, str]:
    """Why, and the remedy, where OpenSSL gave this reason."""
    said = reason.replace("_", " ").lower() or "no reason given"
    return (
        f"The TLS handshake failed ({said}).",
        "Check that the address and port speak https with TLS 1.2 or later.",
    )


def distrusted(code: int, message: str, host: str) -> tuple[str, str]:
    """Why the certificate of `host` was not accepted, by OpenSSL's number and words for it, and the remedy."""
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
    return f"Its certificate was not accepted ({message}).", "Whoever runs the host must mend it."
