"""A strict server of RFC 9449: it checks every proof with a library, demands its nonce, and takes no proof twice."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from tests.connectors.oauth2.jwt_keys import decoded


class ProofRefused(Exception):
    pass


class Proofs:
    """What one server has seen. `nonce` None: it demands none."""

    def __init__(self, clock, nonce=None, leeway=300):
        self.clock, self.nonce, self.leeway = clock, nonce, leeway
        self.seen = set()

    def check(self, proof, method, url, access_token=""):
        """The thumbprint of the key that made the proof. Raises ProofRefused with what section 4.3 finds wrong."""
        header = json.loads(decoded(proof.split(".")[0]))
        _demand(set(header) == {"typ", "alg", "jwk"}, "header")
        _demand((header["typ"], header["alg"]) == ("dpop+jwt", "ES256"), "typ or alg")
        _demand(set(header["jwk"]) >= {"kty", "crv", "x", "y"} and "d" not in header["jwk"], "jwk")
        key = ECKey.import_key(header["jwk"])
        claims = jwt.decode(proof, key, algorithms=["ES256"]).claims
        _demand(claims["htm"] == method, "htm")
        _demand(claims["htu"] == url.partition("#")[0].partition("?")[0] and urlsplit(url).path, "htu")
        _demand(abs(claims["iat"] - self.clock().timestamp()) < self.leeway, "iat")
        _demand(claims["jti"] not in self.seen, "jti")
        self.seen.add(claims["jti"])
        wanted = {"ath": _ath(access_token)} if access_token else {}
        _demand({k: v for k, v in claims.items() if k == "ath"} == wanted, "ath")
        if self.nonce is not None and claims.get("nonce") != self.nonce:
            raise ProofRefused("use_dpop_nonce")
        return key.thumbprint()


def _demand(is_so, what):
    if not is_so:
        raise ProofRefused(what)


def _ath(token):
    return urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()
