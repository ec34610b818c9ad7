"""Keys to sign with, and what is inside a JWT once its signature has been checked, without the library that made it."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256, sha384, sha512
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
DIGESTS = {"HS256": sha256, "HS384": sha384, "HS512": sha512}
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@lru_cache
def key_for(algorithm):
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm])
    return ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else _rsa_key()


@lru_cache
def _rsa_key():
    return rsa.generate_private_key(65537, 2048)


def pem(key, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _number(value, length=None):
    octets = value.to_bytes(length or (value.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def rsa_jwk(key, **members):
    numbers = key.private_numbers()
    public = numbers.public_numbers
    names = {"n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q}
    names |= {"dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
    return {"kty": "RSA", **{name: _number(value) for name, value in names.items()}, **members}


def decoded(part):
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verified(jwt, key):
    """The header and the claims. Raises where the signature is not `key`'s (a private key, or the secret's octets)."""
    signed, _, last = jwt.rpartition(".")
    header, claims = (json.loads(decoded(part)) for part in signed.split("."))
    _verify(header["alg"], signed.encode(), decoded(last), key)
    return header, claims


def _verify(algorithm, signed, signature, key):
    if algorithm in DIGESTS:
        assert hmac.digest(key, signed, DIGESTS[algorithm]) == signature
    elif algorithm == "EdDSA":
        key.public_key().verify(signature, signed)
    elif algorithm in CURVES:
        half = len(signature) // 2
        r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        assert half == (key.curve.key_size + 7) // 8
        key.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(HASHES[algorithm[2:]]))
    else:
        digest = HASHES[algorithm[2:]]
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        key.public_key().verify(signature, signed, pss if algorithm[0] == "P" else padding.PKCS1v15(), digest)


def form_of(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
