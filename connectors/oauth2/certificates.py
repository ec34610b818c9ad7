"""A client's certificate and its key (RFC 8705): read from PEM, and refused with a sentence that never quotes them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509 import Certificate, load_pem_x509_certificates

from connectors.oauth2.signing_keys import SigningKey, read_key

_MIN_RSA_BITS = 2048  # less is refused by OpenSSL at the security level that systems set
_PASTE = "Paste the certificate, which begins with -----BEGIN CERTIFICATE-----, and those of its authorities behind it."
# What else people have in a file of that kind, by what its first line says.
_OTHERS = (
    ("CERTIFICATE REQUEST-----", "a request for a certificate, but what the authority made of it belongs here"),
    ("PRIVATE KEY-----", "a private key, but the certificate belongs here"),
    ("PUBLIC KEY-----", "a public key, but the certificate belongs here"),
    ("PKCS7-----", "a PKCS #7 container; `openssl pkcs7 -print_certs` makes certificates of it"),
)


class CertificateProblem(ValueError):
    """A certificate that can't be presented. The message is a sentence that does not repeat it."""


class KeyMismatch(CertificateProblem):
    """The key is another one's."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a client presents in a TLS handshake, in PEM: the chain, its own certificate first, and the key.

    The fingerprint tells certificates apart where connections are kept. It is the chain's: the key belongs to it, which
    was looked at when it was read, so nobody without that key has a certificate of this fingerprint.
    """

    chain: str = field(repr=False)
    private_key: str = field(repr=False)
    fingerprint: str


@lru_cache(maxsize=256)
def client_certificate(chain: str, private_key: str) -> ClientCertificate:
    """The two put together. Raises `CertificateProblem`, or `KeyProblem` for what is wrong with the key alone.

    Remembered, for every API request presents one, and reading an RSA key takes as long as a signature.
    """
    certificates = read_chain(chain)
    key = read_key(private_key, None)
    check_pair(certificates, key)
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    return ClientCertificate(pem.decode(), _pem_of(key), sha256(pem).hexdigest())


def read_chain(text: str) -> tuple[Certificate, ...]:
    """The certificates in `text`, the client's own first, each before its authority's. Raises `CertificateProblem`."""
    pem = text.replace("\\r", "").replace("\\n", "\n").strip()
    if "-----BEGIN CERTIFICATE-----" not in pem:
        other = next((words for mark, words in _OTHERS if mark in pem), "")
        raise CertificateProblem(f"This is {other}. {_PASTE}" if other else f"This is no certificate in PEM. {_PASTE}")
    read: Sequence[Certificate] = ()
    with suppress(ValueError, UnsupportedAlgorithm):  # said below, where no context keeps what was read
        read = load_pem_x509_certificates(pem.encode())
        for certificate in read:
            certificate.public_key()
    if not read:
        raise CertificateProblem(
            "This certificate can't be read. Copy it once more, with its first and last line and all line breaks."
        )
    chain = _in_order(read)
    public = chain[0].public_key()
    if isinstance(public, RSAPublicKey) and public.key_size < _MIN_RSA_BITS:
        raise CertificateProblem(
            f"This certificate's RSA key has {public.key_size} bits, but TLS takes none of less than {_MIN_RSA_BITS}. "
            "Have one issued for a longer key."
        )
    return chain


def check_time(certificate: Certificate, now: datetime) -> None:
    """Raise `CertificateProblem` where it has expired by `now`, or is not valid yet."""
    if certificate.not_valid_after_utc < now:
        raise CertificateProblem(
            f"This certificate expired on {_day(certificate.not_valid_after_utc)}. Enter a renewed one, with its key."
        )
    if certificate.not_valid_before_utc > now:
        raise CertificateProblem(
            f"This certificate is not valid before {_day(certificate.not_valid_before_utc)}. Come back then, or have "
            "one issued that is valid now."
        )


def check_pair(chain: Sequence[Certificate], key: SigningKey) -> None:
    """Raise `KeyMismatch` where the key isn't that of the client's own certificate."""
    public = key.key.public_key
    if public is None or _spki(public) != _spki(chain[0].public_key()):
        raise KeyMismatch(
            "This private key does not belong to the certificate. Paste the key that the certificate was issued for."
        )


def _in_order(certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Each before the one that issued it; what belongs to no other comes last."""
    issuers = {certificate.issuer for certificate in certificates if certificate.issuer != certificate.subject}
    own = next((certificate for certificate in certificates if certificate.subject not in issuers), certificates[0])
    chain, rest = [own], [certificate for certificate in certificates if certificate is not own]
    while rest:
        following = next((one for one in rest if one.subject == chain[-1].issuer), rest[0])
        rest.remove(following)
        if following not in chain:
            chain.append(following)
    return tuple(chain)


def _spki(public: object) -> bytes:
    octets: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return octets


def _pem_of(key: SigningKey) -> str:
    private = key.key.private_key
    octets: bytes = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[union-attr]
    return octets.decode()


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
