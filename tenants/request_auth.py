"""An `auth=` for requests that somebody else's session sends."""

from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urljoin

import requests
from requests.auth import AuthBase
from requests.cookies import extract_cookies_to_jar
from requests.exceptions import UnrewindableBodyError
from requests.utils import default_headers

from connectors.oauth2.definition import Refresh
from tenants.credentials import Credentials
from tenants.signing import Signed, origin_of, refuse_elsewhere, rewound, says_dead

# What `requests` puts on a request by itself is not the caller's wish.
_USUAL = {**default_headers(), "Content-Type": "application/json"}


class TokenAuth(AuthBase):
    """Signs each request with an instance's newest token: `requests.get(url, auth=instance.auth())`.

    Requests must go to the origin of the API's base address (where the connector has none, all are signed); what a
    redirect leads to elsewhere is unsigned. A token that the API turns down is renewed and the request sent once more;
    an API that demands a nonce in the proof (RFC 9449 section 9) gets it. All the rest (guard, timeouts, retries,
    relative addresses) is the session's own affair: `client()` has it.

    A client certificate can't be presented from here. Where the connector has one a request raises `ValueError`, unless
    `presents_certificate` says that the session does it.

    Each request raises what `Instance.credentials` does, `ValueError` for another origin, and `UnrewindableBodyError`
    where it should be sent again and can't be. Threads may share it; it can't be pickled or copied.
    """

    def __init__(
        self, read: Callable[[], Credentials], refresh: Refresh, *, presents_certificate: bool = False
    ) -> None:
        self._read = read
        self._refresh = refresh
        self._presents_certificate = presents_certificate

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            "An auth object can't be pickled or copied: it signs with a tenant's token. "
            "Hand on the tenant's key, and make one there."
        )

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        credentials = self._read()
        if credentials.base_url:
            refuse_elsewhere(str(request.url), credentials.base_url)
        if credentials.certificate is not None and not self._presents_certificate:
            raise ValueError(
                "The API wants a client certificate in the TLS handshake, which an auth object can't present. Use "
                "client(), or have the session present it (credentials().certificate) and say "
                "auth(presents_certificate=True)."
            )
        own = frozenset(name.lower() for name, value in request.headers.items() if _USUAL.get(name) != value)
        own -= {"authorization"}  # whoever says `auth=` means this one
        flight = _Flight(self._read, self._refresh, Signed.sign(request, credentials, own))
        request.register_hook("response", flight.answered)  # type: ignore[no-untyped-call]
        return request


class _Flight:
    """One request of a caller's, with all that it is redirected to: each answer comes through here, as a hook."""

    def __init__(self, read: Callable[[], Credentials], refresh: Refresh, signed: Signed) -> None:
        self._read = read
        self._refresh = refresh
        self._signed = signed
        self._has_left = False

    def answered(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        """The answer to go on with. Raises as `TokenAuth` says."""
        if self._has_left:
            return response
        if not response.is_redirect:
            response = self._accepted(response, **kwargs)
        if response.is_redirect:  # perhaps only now: what was sent again from here is in no other hook
            self._follow(response)
        return response

    def _accepted(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        response = self._proven(response, **kwargs)
        if not self._signed.may_repeat or not self._is_dead(response, **kwargs):
            return response
        renewed = self._renewed(response)
        if renewed is None:
            return response
        return self._proven(self._sent_again(response, renewed, **kwargs), **kwargs)

    def _follow(self, response: requests.Response) -> None:
        """`requests` goes on with a copy of the request: it must not hold what signs it, if it leaves."""
        here = str(response.request.url)
        try:
            stays = origin_of(urljoin(here, response.headers["location"])) == origin_of(here)
        except ValueError:  # no address; `requests` will say so
            stays = False
        if not stays:
            self._signed.follow(response.request, leaves=True)
            self._has_left = True

    def _proven(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        """The answer, or that to the same once more with the proof that the API wants."""
        credentials = self._signed.credentials
        # `requests` made this request from another, for another address: nobody signed it for that one.
        is_copy = Signed.of(response.request) is None and bool(credentials.query or credentials.dpop_key)
        wants_nonce = self._signed.demands_nonce(response)
        if not wants_nonce and not (is_copy and self._is_dead(response, **kwargs)):
            return response
        response = self._sent_again(response, credentials, **kwargs)
        self._signed.demands_nonce(response)  # notes the next one
        return response

    def _is_dead(self, response: requests.Response, **kwargs: Any) -> bool:
        return says_dead(response, self._refresh, streamed=bool(kwargs.get("stream")))

    def _renewed(self, response: requests.Response) -> Credentials | None:
        """Other credentials than those that were turned down; None where there are none to be had."""
        heeded = self._signed.credentials.report_rejected()
        try:
            renewed = self._read()
        except BaseException:
            response.close()
            raise
        is_same = renewed.access_token == self._signed.credentials.access_token
        return None if is_same and not heeded else renewed

    def _sent_again(self, response: requests.Response, credentials: Credentials, **kwargs: Any) -> requests.Response:
        """The answer to the same request, signed anew."""
        request = response.request
        if not rewound(request):
            raise UnrewindableBodyError(
                f"The API turned the request down (status {response.status_code}). It could be signed anew, but its "
                "body was a stream that can't be sent twice, so it was not repeated. Make it again.",
                request=request,
                response=response,
            )
        response.request = request.copy()  # as it was sent
        response.content  # noqa: B018 (read to its end, so that the connection can be used again)
        response.close()
        cookies = request._cookies  # type: ignore[attr-defined]
        extract_cookies_to_jar(cookies, request, response.raw)  # type: ignore[no-untyped-call]
        request.prepare_cookies(cookies)
        # The very object that was sent: if the next answer is a redirect, `requests` goes on with that.
        is_new = credentials is not self._signed.credentials
        self._signed.renew(request, credentials, may_repeat=self._signed.may_repeat and not is_new)
        self._signed = Signed.of(request) or self._signed
        second: requests.Response = response.connection.send(request, **kwargs)
        second.history = [*response.history, response]
        return second
