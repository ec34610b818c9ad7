"""An authorized `requests.Session`: relative to the API's address, signed, renewed once on rejection."""

from collections.abc import Callable
from copy import copy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.cookies import extract_cookies_to_jar, merge_cookies
from requests.exceptions import RequestException, UnrewindableBodyError
from requests.utils import default_headers, rewind_body

from connectors.guarded_requests import GuardedAdapter
from connectors.oauth2.definition import Refresh
from tenants.credentials import Credentials
from tenants.signing import Signed, origin_of, says_dead

_USUAL = default_headers()


class ApiSession(requests.Session):
    """A session that signs its requests with an instance's token.

    Addresses are relative to the API's base address (`/users/me`); absolute ones must be of the same origin, so that a
    token goes nowhere else (where the connector has no base address, all of them are signed). What the caller sets in
    a header stays. Where the API's answer means “this token is dead” (`refresh.on_status`, `refresh.on_body`; the body
    of a streamed answer isn't looked at), the token is renewed and the request made once more.

    Besides what `requests` raises, each request raises what `Instance.credentials` does, and `AddressRefused`.
    """

    def __init__(self, read: Callable[[], Credentials], refresh: Refresh) -> None:
        super().__init__()
        self.trust_env = False
        adapter = GuardedAdapter()
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self._read = read
        self._refresh = refresh

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Sign a request. Raises `ValueError` for an address of another origin than the API's."""
        credentials = self._read()
        placed = copy(request)  # the caller may use it again
        placed.url = _absolute(str(request.url or ""), credentials.base_url)
        prepared = super().prepare_request(placed)
        if placed.url == request.url and credentials.base_url:
            _refuse_elsewhere(str(prepared.url), credentials.base_url)
        Signed.sign(prepared, credentials, self._own_headers(request))
        return prepared

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send, and once more with a new token if the API turned this one down.

        Raises `UnrewindableBodyError` if the body can't be sent twice; the token is renewed all the same.
        """
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
        second = self._proven(retry, Signed.of(retry), **kwargs)
        second.history = [*response.history, response, *second.history]
        return second

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
        """Send; what is told of a signed request (its address, errors) is without what signs it."""
        try:
            response = super().send(request, **kwargs)
        except RequestException as error:
            if signed is None or not signed.credentials.query:
                raise
            trouble = type(error)(signed.hide(str(error)), request=error.request, response=error.response)
        else:
            if signed is not None and signed.credentials.query:
                response.url = signed.hide(str(response.url))
            return response
        # Raised here, not above: `requests`' own error quotes the address with all of its query.
        raise trouble

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
        second.history = [response, *second.history]
        return second

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
        if not isinstance(request.body, str | bytes | None) and not _rewound(retry):
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


def _rewound(request: requests.PreparedRequest) -> bool:
    try:
        rewind_body(request)
    except UnrewindableBodyError:
        return False
    return True


def _absolute(url: str, base_url: str) -> str:
    if urlsplit(url).scheme in ("http", "https"):
        return url
    if not base_url:
        raise ValueError(f"“{url}” is relative, and the connector has no base URL. Give the whole address.")
    return base_url if not url else f"{base_url}{'' if url.startswith(('/', '?')) else '/'}{url}"


def _refuse_elsewhere(url: str, base_url: str) -> None:
    """`url` is looked at as it was prepared: what goes where must be read as it will be read on sending."""
    here, there = origin_of(base_url), origin_of(url)
    if here != there:
        raise ValueError(
            f"The token is for {here}, not for {there}. "
            "To send it elsewhere all the same, sign a request of your own with credentials().headers."
        )
