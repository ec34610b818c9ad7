"""The keys that sign: read from PEM or a JWK, and refused with a sentence that never quotes them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key

SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")
KEY_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
ALGORITHMS = (*KEY_ALGORITHMS, *SECRET_ALGORITHMS)
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_MIN_RSA_BITS = {"PS512": 1040}  # what the padding needs; how strong a key must be is the provider's to say
_PRIVATE = "Paste the private key, which begins with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----."

PrivateKey = RSAKey | ECKey | OKPKey


class KeyProblem(ValueError):
    """A key that can't sign. The message is a sentence that does not repeat it."""


@dataclass(frozen=True)
class SigningKey:
    """A key and the ID that it carries itself, if it is a JWK. Its repr shows neither."""

    key: PrivateKey | OctKey = field(repr=False)
    key_id: str = field(repr=False)


def read_key(text: str, algorithm: str | None) -> SigningKey:
    """The key in `text`, fit for `algorithm` (None: for any but the HS ones). Raises `KeyProblem`."""
    jwk = _jwk(text)
    key_id = jwk.get("kid") if jwk else None
    key_id = key_id if isinstance(key_id, str) else ""
    if algorithm in SECRET_ALGORITHMS:
        return SigningKey(_secret(text, jwk, algorithm), key_id)
    key = _from_pem(text) if jwk is None else _from_jwk(jwk)
    if algorithm is not None:
        _check_fit(key, algorithm)
    return SigningKey(key, key_id)


def _jwk(text: str) -> Mapping[str, object] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict) or "kty" not in read:
        raise KeyProblem("This begins like a JWK, but is no JSON object with `kty`. Copy the whole key once more.")
    return read


def _secret(text: str, jwk: Mapping[str, object] | None, algorithm: str) -> OctKey:
    if "-----BEGIN" in text or (jwk is not None and jwk["kty"] != "oct"):
        raise KeyProblem(f"{algorithm} signs with a shared secret, but this is a key of a pair or a certificate.")
    if jwk is None:
        # As it stands, however short: how long a secret must be was the provider's to say.
        return OctKey(text.encode(), text.encode())
    key = _imported(jwk)
    if not isinstance(key, OctKey):
        raise KeyProblem("This JWK can't be read. Copy it once more.")
    return key


def _from_jwk(jwk: Mapping[str, object]) -> PrivateKey:
    if jwk["kty"] == "oct":
        raise KeyProblem("This is a shared secret (kty: oct), but a private key belongs here.")
    if "d" not in jwk:
        raise KeyProblem("This is a public key, but the private key belongs here. A private JWK has the member `d`.")
    key = _imported(jwk)
    if key is None or isinstance(key, OctKey):
        raise KeyProblem("This JWK can't be read. Copy the whole key once more.")
    return key


def _imported(jwk: Mapping[str, object]) -> PrivateKey | OctKey | None:
    # What the JWK says of its own use is not needed to sign, and often wrong.
    material = {name: value for name, value in jwk.items() if name not in ("alg", "use", "key_ops", "x5c", "kid")}
    try:
        key = import_key(material)  # type: ignore[arg-type]  # (looked at by the library)
        if not isinstance(key, OctKey) and key.private_key is None:
            return None
        return key
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, UnsupportedAlgorithm):
        return None


def _from_pem(text: str) -> PrivateKey:
    pem = text.replace("\\r", "").replace("\\n", "\n").strip()
    if "-----BEGIN" not in pem:
        raise KeyProblem(f"This is neither a PEM key nor a JWK. {_PRIVATE}")
    if "PUBLIC KEY-----" in pem and "PRIVATE KEY-----" not in pem:
        raise KeyProblem(f"This is a public key, but the private key belongs here. {_PRIVATE}")
    if "PRIVATE KEY-----" not in pem:
        what = "a certificate" if "-----BEGIN CERTIFICATE" in pem else "something else in PEM"
        raise KeyProblem(f"This is {what}, but the private key belongs here. {_PRIVATE}")
    if "ENCRYPTED" in pem:
        raise KeyProblem(
            "This key is protected by a passphrase. Remove it first (openssl pkey -in KEY -out NEW), then paste that."
        )
    # Text before the key, such as openssl's “Bag Attributes”, is not part of it.
    key = None
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):  # said below, where no context keeps what was read
        key = load_pem_private_key(pem[pem.index("-----BEGIN") :].encode(), None)
    if isinstance(key, RSAPrivateKey):
        return RSAKey(key, key)
    if isinstance(key, EllipticCurvePrivateKey):
        return ECKey(key, key)
    if isinstance(key, Ed25519PrivateKey | Ed448PrivateKey):
        return OKPKey(key, key)
    if key is None:
        raise KeyProblem("This key can't be read. Copy it once more, with its first and last line and all line breaks.")
    raise KeyProblem(
        "This kind of key can't sign here. RSA, elliptic curve (P-256, P-384, P-521) and Ed25519 keys can."
    )


def _check_fit(key: PrivateKey, algorithm: str) -> None:
    native = key.private_key
    if algorithm == "EdDSA":
        if not isinstance(native, Ed25519PrivateKey | Ed448PrivateKey):
            raise KeyProblem(f"EdDSA needs an Ed25519 key, but this is {_kind(native)}.")
    elif algorithm in _CURVES:
        if not isinstance(native, EllipticCurvePrivateKey) or native.curve.name != _CURVES[algorithm]:
            raise KeyProblem(f"{algorithm} needs a key on the curve {_CURVES[algorithm]}, but this is {_kind(native)}.")
    elif not isinstance(native, RSAPrivateKey):
        raise KeyProblem(f"{algorithm} needs an RSA key, but this is {_kind(native)}.")
    elif native.key_size < _MIN_RSA_BITS.get(algorithm, 800):
        raise KeyProblem(f"This RSA key of {native.key_size} bits is too short for {algorithm}.")


def _kind(native: object) -> str:
    if isinstance(native, RSAPrivateKey):
        return "an RSA key"
    if isinstance(native, EllipticCurvePrivateKey):
        return f"one on the curve {native.curve.name}"
    return "an Ed25519 or Ed448 key" if isinstance(native, Ed25519PrivateKey | Ed448PrivateKey) else "another key"
