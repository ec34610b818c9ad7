"""How one API request was signed, and what an API's answer says of that."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote_plus, urlsplit

import requests
from requests.exceptions import UnrewindableBodyError
from requests.utils import rewind_body

from connectors.guarded_requests import present
from connectors.oauth2.definition import Refresh
from connectors.oauth2.dpop import API_NONCES, demands_nonce
from connectors.oauth2.http import Headers, HttpResponse
from connectors.oauth2.parameters import add_query
from connectors.oauth2.rejections import body_says_dead
from tenants.credentials import Credentials

_PORTS = {"http": 80, "https": 443}
_HIDDEN = "[hidden]"


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, spelt one way."""
    parts = urlsplit(_as_sent(url))
    port = parts.port or _PORTS.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _as_sent(url: str) -> str:
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return str(prepared.url)


def refuse_elsewhere(url: str, base_url: str) -> None:
    """Raise `ValueError` where a prepared address has another origin than the API's.

    `url` is looked at as it was prepared: what goes where must be read as it will be read on sending.
    """
    here, there = origin_of(base_url), origin_of(url)
    if here != there:
        raise ValueError(
            f"The token is for {here}, not for {there}. "
            "To send it elsewhere all the same, sign a request of your own with credentials().headers."
        )


def rewound(request: requests.PreparedRequest) -> bool:
    """Have a request's body at its beginning again; False where it can't be sent twice."""
    if isinstance(request.body, str | bytes | None):
        return True
    try:
        rewind_body(request)
    except UnrewindableBodyError:
        return False
    return True


@dataclass(frozen=True)
class Signed:
    """With what a request was signed. It stands on the request, as an attribute."""

    credentials: Credentials
    own_headers: frozenset[str]  # the caller's, in lower case: they stay as they are
    may_repeat: bool = True

    @staticmethod
    def of(request: requests.PreparedRequest) -> "Signed | None":
        return getattr(request, "signed", None)

    @classmethod
    def sign(cls, request: requests.PreparedRequest, credentials: Credentials, own_headers: frozenset[str]) -> Self:
        # Where a header of the caller's stands in the place of ours, an API that turns the request down says nothing
        # of our token.
        overridden = any(name.lower() in own_headers for name in credentials.headers)
        signed = cls(credentials, own_headers, may_repeat=not overridden)
        signed._put_on(request)
        return signed

    def again(self, request: requests.PreparedRequest) -> None:
        """Sign the same request once more, with a fresh proof."""
        self._take_off(request)
        self._put_on(request)

    def demands_nonce(self, response: requests.Response) -> bool:
        """Whether the API asks for the same once more with the nonce that it gives, which is noted; see `again`."""
        key = self.credentials.dpop_key
        if key is None or "dpop" in self.own_headers:
            return False
        nonce = response.headers.get("DPoP-Nonce", "")
        API_NONCES.note(key, str(response.request.url), nonce)
        return demands_nonce(response.status_code, nonce, response.headers.get("WWW-Authenticate", ""))

    def renew(self, request: requests.PreparedRequest, credentials: Credentials, *, may_repeat: bool = False) -> None:
        """Sign a request once more, with other credentials; unless `may_repeat` for the last time."""
        self._take_off(request)
        type(self)(credentials, self.own_headers, may_repeat)._put_on(request)

    def follow(self, request: requests.PreparedRequest, *, leaves: bool) -> None:
        """Sign a request that a redirect led to, or, if it leaves for another origin, take off all that signs."""
        self._take_off(request)
        if not leaves:
            self._put_on(request)

    def hide(self, text: str) -> str:
        """A text that may quote the address, without the query's values that sign it and a base that is secret."""
        base = urlsplit(_as_sent(self.credentials.base_url)) if self.credentials.has_secret_base else None
        if base is not None and (path := str(base.path).rstrip("/")):
            text = text.replace(path, f"/{_HIDDEN}")
        for name, value in self.credentials.query:
            text = text.replace(add_query("", [(name, value)])[1:], f"{name}={_HIDDEN}")
        return text

    @property
    def hides_something(self) -> bool:
        return bool(self.credentials.query) or self.credentials.has_secret_base

    def _put_on(self, request: requests.PreparedRequest) -> None:
        for name, value in self.credentials.headers.items():
            if name.lower() not in self.own_headers:
                request.headers[name] = value
        request.url = _with_query(str(request.url), self.credentials.query)
        if self.credentials.dpop_key is not None and "dpop" not in self.own_headers:
            request.headers["DPoP"] = self.credentials.dpop_proof(str(request.method), request.url)
        present(request, self.credentials.certificate)
        request.signed = self  # type: ignore[attr-defined]

    def _take_off(self, request: requests.PreparedRequest) -> None:
        for name in self.credentials.headers:
            if name.lower() not in self.own_headers:
                request.headers.pop(name, None)
        if self.credentials.dpop_key is not None and "dpop" not in self.own_headers:
            request.headers.pop("DPoP", None)
        request.url = _without_query(str(request.url), self.credentials.query)
        present(request, None)


def _with_query(url: str, pairs: tuple[tuple[str, str], ...]) -> str:
    address, hash_sign, fragment = url.partition("#")
    return add_query(address, pairs) + hash_sign + fragment


def _without_query(url: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """Without the pairs that sign it; an API's redirect may quote them."""
    parts = urlsplit(url)
    if not pairs or not parts.query:
        return url
    kept = [part for part in parts.query.split("&") if _pair(part) not in pairs]
    return parts._replace(query="&".join(kept)).geturl()


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return unquote_plus(name), unquote_plus(value)


def says_dead(response: requests.Response, refresh: Refresh, *, streamed: bool) -> bool:
    """Whether an API's answer means “this token is dead”. What is still to be streamed is not read."""
    if response.status_code in refresh.on_status:
        return True
    if not refresh.on_body or streamed or not 200 <= response.status_code < 300:
        return False
    headers = Headers(tuple(response.headers.items()))
    return body_says_dead(refresh, HttpResponse(response.status_code, headers, response.content))
