import itertools
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from connectors.oauth2.signing_keys import KeyProblem, read_key
from connectors.oauth2.values import check_given
from tests.connectors.oauth2.definitions import method_of
from tests.connectors.oauth2.jwt_keys import key_for, pem, public_pem, rsa_jwk

RS, EC, ED = key_for("RS256"), key_for("ES256"), key_for("EdDSA")
LOCKED = RS.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
LOCKED_OLD = RS.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x")).decode()
PUBLIC_JWK = {name: value for name, value in rsa_jwk(RS).items() if name in ("kty", "n", "e")}


@pytest.mark.parametrize(
    ("text", "algorithm", "said"),
    [
        (public_pem(RS), "RS256", "public key"),
        (json.dumps(PUBLIC_JWK), "RS256", "public key"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "RS256", "a certificate"),
        ("ssh-rsa AAAAB3NzaC1yc2E", "RS256", "neither a PEM key nor a JWK"),
        ("the-secret", "RS256", "neither a PEM key nor a JWK"),
        (pem(RS)[:300], "RS256", "can't be read"),
        (pem(RS).replace("a", "b"), "RS256", "can't be read"),
        (LOCKED, "RS256", "passphrase"),
        (LOCKED_OLD, "RS256", "passphrase"),
        (pem(dsa.generate_private_key(1024)), "RS256", "can't sign here"),  # noqa: S505 -- it is refused, and quickly made
        (pem(x25519.X25519PrivateKey.generate()), "EdDSA", "can't sign here"),
        (pem(EC), "RS256", "needs an RSA key, but this is one on the curve secp256r1"),
        (pem(RS), "ES256", "needs a key on the curve secp256r1, but this is an RSA key"),
        (pem(EC), "ES384", "needs a key on the curve secp384r1"),
        (pem(RS), "EdDSA", "needs an Ed25519 key, but this is an RSA key"),
        (pem(ED), "PS256", "needs an RSA key"),
        ("{", "RS256", "no JSON object with `kty`"),
        ("{" * 100_000, "RS256", "no JSON object with `kty`"),
        ('{"n": "x"}', "RS256", "no JSON object with `kty`"),
        ('{"kty": "RSA", "d": 5}', "RS256", "JWK can't be read"),
        ('{"kty": "XYZ", "d": "AAAA"}', "RS256", "JWK can't be read"),
        ('{"kty": ["RSA"], "d": "AAAA"}', "RS256", "JWK can't be read"),
        ('{"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "d": "AA"}', "ES256", "JWK can't be read"),
        ('{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}', "ES256", "JWK can't be read"),
        (json.dumps({**rsa_jwk(RS), "d": "AAAA"}), "RS256", "JWK can't be read"),
        ('{"kty": "oct", "k": "c2VjcmV0"}', "RS256", "shared secret"),
        (pem(RS), "HS256", "key of a pair"),
        (public_pem(RS), "HS256", "key of a pair"),
        (json.dumps(rsa_jwk(RS)), "HS256", "key of a pair"),
        ('{"kty": "oct", "k": ""}', "HS256", "JWK can't be read"),
        (public_pem(RS), None, "public key"),
    ],
    ids=itertools.count(),
)
def test_says_what_is_wrong_with_a_key_without_quoting_it(text, algorithm, said):
    with pytest.raises(KeyProblem) as problem:
        read_key(text, algorithm)

    sentence = str(problem.value)
    assert said in sentence
    assert not any(line in sentence for line in text.splitlines() if len(line) > 30)
    assert problem.value.__context__ is None


def test_a_shared_secret_signs_however_short_it_is():
    assert read_key("a", "HS256")
    assert read_key('{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}', "HS512")


@pytest.mark.parametrize(
    ("value", "algorithm", "said"),
    [
        (public_pem(RS), "RS256", "public key"),
        (pem(EC), "RS256", "needs an RSA key"),
        (pem(EC), "ES256", ""),
        (pem(EC), "{{client_id}}", ""),
        (public_pem(EC), "{{client_id}}", "public key"),
        ("", "RS256", ""),
    ],
    ids=itertools.count(),
)
def test_a_key_is_looked_at_when_it_is_entered(value, algorithm, said):
    method = method_of(
        variables=[{"key": "pk", "secret": True, "format": "multiline"}],
        token_request={
            "client_authentication": "private_key_jwt",
            "assertion": {"key": "{{pk|trim}}", "algorithm": algorithm},
        },
    )

    problems = check_given(method, {"pk": value, "client_id": "x"})

    assert problems.keys() == ({"pk"} if said else set())
    assert said in problems.get("pk", "")
