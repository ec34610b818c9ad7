"""A client's certificate in TLS: put into a context, and what a server that turns it down says.

Python's `ssl` reads a key from a file alone. So that none is ever left behind, whatever happens to the process, the key
is encrypted for the moment with a passphrase that nobody knows, and the file is in memory where the system can do that.
"""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from connectors.oauth2.certificates import ClientCertificate
from connectors.oauth2.errors import CredentialsRefused, ValidationFailed

# What OpenSSL calls the alerts that speak of the other side's certificate (RFC 8446 section 6.2, RFC 5246 section 7.2).
_REQUIRED = frozenset({"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_NO_CERTIFICATE"})
_MEANINGS = {
    "TLSV1_ALERT_UNKNOWN_CA": "It does not know the authority that signed the certificate, or does not trust it.",
    "SSLV3_ALERT_BAD_CERTIFICATE": "It finds the certificate bad: unknown to it, damaged, or wrongly signed.",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "It does not take certificates of this kind.",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "The certificate was revoked.",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "The certificate has expired, or is not valid yet by that server's clock.",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "It does not accept the certificate, and does not say why.",
    "TLSV1_ALERT_ACCESS_DENIED": "It accepts the certificate, but not for this purpose.",
    "TLSV1_ALERT_DECRYPT_ERROR": "It could not check the signature that was made with the certificate's key.",
}
ALERTS = _REQUIRED | _MEANINGS.keys()
_REMEDY = (
    "Check in the provider's console that this very certificate is registered for the client, and that the chain holds "
    "every intermediate authority's certificate. If it was renewed, enter the new one with its key."
)


def load(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Have `context` present the certificate. Raises `ValidationFailed` where this machine's TLS doesn't take it."""
    passphrase = token_urlsafe(32)
    key = load_pem_private_key(certificate.private_key.encode(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())
    )
    with _as_file(certificate.chain.encode() + key) as path:
        try:
            context.load_cert_chain(path, password=passphrase)
        except ssl.SSLError as error:
            reason = (error.reason or "no reason given").replace("_", " ").lower()
        else:
            return
    raise ValidationFailed(
        "The client certificate can't be presented.",
        f"The TLS library of this machine does not take it ({reason}).",
        "Have one issued with a key and a signature of today's strength.",
    )


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """`data` at a path, for as long as the block takes."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        with open(os.memfd_create("certificate"), "wb") as file:
            file.write(data)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.NamedTemporaryFile("wb") as file:  # readable by its owner alone
        file.write(data)
        file.flush()
        yield file.name


def turned_down(reason: str, host: str, *, presented: bool) -> CredentialsRefused:
    """What one of ALERTS means: `presented` says whether there was a certificate at all."""
    what = f"{host} ended the TLS handshake because of the client certificate."
    if not presented:
        return CredentialsRefused(
            what,
            "It asks for a certificate, but none is presented.",
            "The administrator should add `token_request.tls` to the definition, for a certificate that the provider "
            "knows.",
        )
    why = _MEANINGS.get(reason, "It asks for a certificate, and none of the authorities that it names signed this one.")
    return CredentialsRefused(what, why, _REMEDY)
