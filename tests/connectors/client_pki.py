"""Clients' certificates: signed by an authority, by one in between, or by themselves; and those that no one takes."""

import datetime
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.connectors.oauth2.jwt_keys import pem


@dataclass(frozen=True)
class Party:
    """A certificate and its key. `chain` is in PEM, as one would paste it."""

    certificate: x509.Certificate
    key: object
    issuer: "Party | None" = None

    @property
    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def chain(self):
        """Its own and those in between, without the authority's at the top."""
        between = self.issuer.chain if self.issuer is not None and self.issuer.issuer is not None else ""
        return self.pem + between

    @property
    def private_key(self):
        return pem(self.key)

    @property
    def thumbprint(self):
        return self.certificate.fingerprint(hashes.SHA256())


def certified(name, issuer=None, *, key=None, ca=False, from_days=-2, to_days=365, signed_with=None):
    """A certificate for `name`, signed by `issuer` or by itself, valid from and to so many days from now."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=from_days))
        .not_valid_after(now + datetime.timedelta(days=to_days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signed_with or (issuer.key if issuer else key), hashes.SHA256())
    )
    return Party(certificate, key, issuer)


@lru_cache
def authority():
    return certified("Clients' authority", ca=True)


@lru_cache
def in_between():
    return certified("Clients' sub-authority", authority(), ca=True)


@lru_cache
def client():
    return certified("A client", in_between())


@lru_cache
def self_signed():
    return certified("A client by itself")
