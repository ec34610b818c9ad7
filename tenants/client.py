"""An authorized `requests.Session`: relative to the API's address, signed, renewed once on rejection."""

import re
from collections.abc import Callable
from copy import copy
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
from requests.cookies import extract_cookies_to_jar, merge_cookies
from requests.exceptions import RequestException, UnrewindableBodyError
from requests.utils import default_headers

from connectors.guarded_requests import GuardedAdapter
from connectors.oauth2.definition import Refresh
from tenants.credentials import Credentials
from tenants.retries import Retries
from tenants.signing import Signed, refuse_elsewhere, rewound, says_dead
from tenants.wire_logs import hiding

# Seconds: for connecting and between two pieces of an answer, or one after the other; None: OUTBOUND_TIMEOUT.
Timeout = float | tuple[float | None, float | None] | None

_USUAL = default_headers()
# A colon alone makes no address: `items:search` is a path.
_OF_ANOTHER_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class ApiSession(requests.Session):
    """A session that signs its requests with an instance's token.

    Addresses are relative to the API's base address (`/users/me`); absolute ones must be of the same origin, so that a
    token goes nowhere else (where the connector has no base address, all of them are signed). What the caller sets in
    a header stays. Where the API's answer means “this token is dead” (`refresh.on_status`, `refresh.on_body`; the body
    of a streamed answer isn't looked at), the token is renewed and the request made once more. Where the API is busy
    (429, 503), the request is made again after a wait, see `Retries`. Any other answer is the caller's.

    Threads may share a session as long as they don't change it (its headers, hooks …); cookies are the session's own.
    `with`, or `close()`, closes its connections. It can't be pickled or copied.

    Besides what `requests` raises, each request raises what `Instance.credentials` does, and `AddressRefused`.
    """

    def __init__(
        self,
        read: Callable[[], Credentials],
        refresh: Refresh,
        *,
        timeout: Timeout = None,
        retries: Retries | None = None,
    ) -> None:
        super().__init__()
        self.trust_env = False
        adapter = GuardedAdapter()
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self._read = read
        self._refresh = refresh
        self._timeout = timeout
        self._retries = retries or Retries()

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            "A client can't be pickled or copied: it holds connections and signs with a tenant's token. "
            "Hand on the tenant's key, and make a client of its own there."
        )

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Sign a request. Raises `ValueError` for an address of another origin than the API's."""
        credentials = self._read()
        placed = copy(request)  # the caller may use it again
        placed.url = _absolute(str(request.url or ""), credentials.base_url)
        prepared = super().prepare_request(placed)
        if placed.url == request.url and credentials.base_url:
            refuse_elsewhere(str(prepared.url), credentials.base_url)
        Signed.sign(prepared, credentials, self._own_headers(request))
        return prepared

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send; once more with a new token if the API turned this one down, and again if it is busy.

        Raises `UnrewindableBodyError` if it was turned down with a body that can't be sent twice; the token is renewed
        all the same.
        """
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        response = self._accepted(request, **kwargs)
        waited: list[float] = []
        while (seconds := self._pause(response, waited)) is not None:
            response.close()
            self._retries.sleep(seconds)
            waited.append(seconds)
            response = _behind(response, self._accepted(self._anew(response), **kwargs))
        return response

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """A redirect to another origin takes nothing along that signs (`requests` drops Authorization only)."""
        signed = Signed.of(response.request)
        leaves = self.should_strip_auth(  # type: ignore[no-untyped-call]
            str(response.request.url), str(prepared_request.url)
        )
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        if signed is not None:
            signed.follow(prepared_request, leaves=bool(leaves))

    def _own_headers(self, request: requests.Request) -> frozenset[str]:
        """The header fields, in lower case, that the caller set for this request or for the whole session."""
        own = {name.lower() for name in request.headers or {}}
        own |= {name.lower() for name, value in self.headers.items() if _USUAL.get(name) != value}
        return frozenset(own | {"authorization"} if request.auth or self.auth else own)

    def _carry(self, request: requests.PreparedRequest, signed: Signed | None, **kwargs: Any) -> requests.Response:
        """Send; what is told of a signed request (its address, errors, logs) is without what signs it."""
        if signed is None or not signed.hides_something:
            return super().send(request, **kwargs)
        try:
            with hiding(signed.hide):
                response = super().send(request, **kwargs)
        except RequestException as error:
            trouble = type(error)(signed.hide(str(error)), request=error.request, response=error.response)
        else:
            response.url = signed.hide(str(response.url))
            return response
        # Raised here, not above: `requests`' own error quotes the address with all of its query.
        raise trouble

    def _accepted(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send, and once more with a new token if the API turned this one down."""
        signed = Signed.of(request)
        response = self._proven(request, signed, **kwargs)
        # A redirect's answer came through here by itself, signed or not: it is not the first address's.
        if signed is None or not signed.may_repeat or _was_redirected(response):
            return response
        if not says_dead(response, self._refresh, streamed=bool(kwargs.get("stream"))):
            return response
        renewed = self._renewed(signed, response)
        if renewed is None:
            return response
        retry = self._repeated(request, response, "It has been renewed, but")
        signed.renew(retry, renewed)
        return _behind(response, self._proven(retry, Signed.of(retry), **kwargs))

    def _pause(self, response: requests.Response, waited: list[float]) -> float | None:
        """Seconds after which a busy API is to be asked again; None where the answer stays."""
        # As above: whoever was redirected to has been asked again already.
        seconds = None if _was_redirected(response) else self._retries.wait(response, waited)
        return seconds if seconds is not None and rewound(response.request) else None

    def _anew(self, response: requests.Response) -> requests.PreparedRequest:
        """The request that was answered, with the newest token: the one before may have run out meanwhile."""
        signed = Signed.of(response.request)
        retry = self._repeated(response.request, response, "But")
        if signed is not None:
            signed.renew(retry, self._read(), may_repeat=signed.may_repeat)
        return retry

    def _proven(self, request: requests.PreparedRequest, signed: Signed | None, **kwargs: Any) -> requests.Response:
        """Send, and once more if the API demands a nonce in the proof (RFC 9449 section 9)."""
        response = self._carry(request, signed, **kwargs)
        if signed is None or _was_redirected(response) or not signed.demands_nonce(response):
            return response
        retry = self._repeated(request, response, "It asks for a nonce that is known now, but")
        response.close()
        signed.again(retry)
        second = self._carry(retry, signed, **kwargs)
        signed.demands_nonce(second)
        return _behind(response, second)

    def _renewed(self, signed: Signed, response: requests.Response) -> Credentials | None:
        """Other credentials than those that were turned down; None where there are none to be had."""
        heeded = signed.credentials.report_rejected()
        try:
            renewed = self._read()
        except BaseException:
            response.close()
            raise
        if not heeded and renewed.access_token == signed.credentials.access_token:
            return None
        response.close()
        return renewed

    def _repeated(
        self, request: requests.PreparedRequest, response: requests.Response, news: str
    ) -> requests.PreparedRequest:
        """The same request once more, with the cookies that came meanwhile. `news`: what is better now."""
        retry = request.copy()
        if not rewound(retry):
            raise UnrewindableBodyError(
                f"The API turned the token down (status {response.status_code}). {news} the "
                "request's body was a stream that can't be sent twice, so the request was not repeated. Make it again.",
                request=request,
                response=response,
            )
        signed = Signed.of(request)
        if signed is None or "cookie" not in signed.own_headers:
            cookies = retry._cookies  # type: ignore[attr-defined]  # as `requests` itself does after a redirect
            extract_cookies_to_jar(cookies, request, response.raw)  # type: ignore[no-untyped-call]
            merge_cookies(cookies, self.cookies)  # type: ignore[no-untyped-call]
            retry.headers.pop("Cookie", None)
            retry.prepare_cookies(cookies)
        return retry


def _was_redirected(response: requests.Response) -> bool:
    return any(one.is_redirect for one in response.history)


def _behind(first: requests.Response, second: requests.Response) -> requests.Response:
    """The second answer, with the first in its history."""
    second.history = [*first.history, first, *second.history]
    return second


def _absolute(url: str, base_url: str) -> str:
    if urlsplit(url).scheme in ("http", "https"):
        return url
    if _OF_ANOTHER_SCHEME.match(url):
        raise ValueError(f"“{url[:100]}” is an address, but not one of http or https: the token goes nowhere else.")
    if not base_url:
        raise ValueError(
            f"“{url}” is relative, and the connector has no base URL. "
            "Give the whole address, or have the administrator enter the connector's base URL."
        )
    return base_url if not url else f"{base_url}{'' if url.startswith(('/', '?')) else '/'}{url}"
