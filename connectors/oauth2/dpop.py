"""Proofs that whoever sends a token holds the key that it is bound to (RFC 9449)."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from connectors.oauth2 import conversation
from connectors.oauth2.assertions import encoded
from connectors.oauth2.conversation import Conversation
from connectors.oauth2.http import Headers, HttpRequest, HttpResponse
from connectors.oauth2.templates import Rendering

Clock = Callable[[], datetime]

DEMAND = "use_dpop_nonce"
_ALGORITHM = "ES256"  # what RFC 9449 has in all its examples, and every server that does DPoP
_MAX_NONCES = 4096
_MAX_NONCE = 4096  # characters
_PORTS = {"http": 80, "https": 443}
_AS_IT_STANDS = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True)
class ProofKey:
    """A key on the curve P-256, as a private JWK in JSON. Its repr does not show it."""

    jwk: str = field(repr=False)

    @classmethod
    def make(cls) -> "ProofKey":
        return cls(json.dumps(ECKey.generate_key("P-256", private=True).as_dict(private=True)))

    @property
    def thumbprint(self) -> str:
        """What the token names the key by, `cnf.jkt` (RFC 7638)."""
        return self._key.thumbprint()

    @property
    def _key(self) -> ECKey:
        return ECKey.import_key(json.loads(self.jwk))

    def proof(self, method: str, url: str, *, now: datetime, access_token: str = "", nonce: str = "") -> str:
        """The value of the header DPoP for one request (section 4.2); `access_token` with requests to an API."""
        key = self._key
        claims = {"jti": str(uuid4()), "htm": method, "htu": _address(url), "iat": int(now.timestamp())}
        if access_token:
            claims["ath"] = encoded(sha256(access_token.encode()).digest()).decode()
        if nonce:
            claims["nonce"] = nonce
        header = {"typ": "dpop+jwt", "alg": _ALGORITHM, "jwk": key.as_dict(private=False)}
        return jwt.encode(header, claims, key, algorithms=[_ALGORITHM])


def _address(url: str) -> str:
    """The address without query and fragment, as it goes out."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port and parts.port != _PORTS.get(parts.scheme) else ""
    return f"{parts.scheme}://{host}{port}{quote(parts.path or '/', safe=_AS_IT_STANDS)}"


class Nonces:
    """The nonce that each server gave out last, for each key: it saves the request that would only fetch a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: OrderedDict[tuple[str, str], str] = OrderedDict()

    def latest(self, key: ProofKey, url: str) -> str:
        with self._lock:
            return self._latest.get(_place(key, url), "")

    def note(self, key: ProofKey, url: str, nonce: str) -> None:
        if not nonce or len(nonce) > _MAX_NONCE:
            return
        place = _place(key, url)
        with self._lock:
            self._latest[place] = nonce
            self._latest.move_to_end(place)
            if len(self._latest) > _MAX_NONCES:
                self._latest.popitem(last=False)


# A token endpoint and an API may share a host, and hardly ever know one another's nonces.
TOKEN_NONCES, API_NONCES = Nonces(), Nonces()


def _place(key: ProofKey, url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower(), sha256(key.jwk.encode()).hexdigest()


def demands_nonce(status: int, nonce: str, said: str) -> bool:
    """Whether an answer asks for the same once more, with the nonce that it brings (sections 8 and 9)."""
    return status in (400, 401) and bool(nonce) and DEMAND in said


def proven(
    make: Callable[[Rendering], HttpRequest],
    rendering: Rendering,
    key: ProofKey | None,
    *,
    clock: Clock,
    access_token: str = "",
    carried: Callable[[HttpRequest], Conversation[HttpResponse]] = conversation.carried,
) -> Conversation[tuple[HttpRequest, HttpResponse]]:
    """Ask what `make` renders, with a proof if there is a key; once more, rendered anew, if a nonce is demanded.

    What was sent last, and its answer. `carried` is how a request gets its answer.
    """
    if key is None:
        request = make(rendering)
        return request, (yield from carried(request))
    nonces = API_NONCES if access_token else TOKEN_NONCES
    started = clock()
    for attempt in (rendering, replace(rendering, uuid=uuid4())):
        request = make(attempt)
        now, nonce = clock(), nonces.latest(key, request.url)
        proof = key.proof(request.method, request.url, now=now, access_token=access_token, nonce=nonce)
        request = replace(
            request,
            headers=Headers((*request.headers.fields, ("DPoP", proof))),
            spent=max(request.spent, (now - started).total_seconds()),
        )
        response = yield from carried(request)
        given = response.headers.get("DPoP-Nonce")
        nonces.note(key, request.url, given)
        said = f"{response.headers.get('WWW-Authenticate')} {response.body[:4096].decode(errors='replace')}"
        if not demands_nonce(response.status, given, said):
            break
    return request, response
