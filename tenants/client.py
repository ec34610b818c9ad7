"""An authorized `requests.Session`: relative to the API's address, signed, renewed once on rejection."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.exceptions import UnrewindableBodyError
from requests.utils import rewind_body

from connectors.guarded_requests import GuardedAdapter
from connectors.oauth2.definition import Refresh
from connectors.oauth2.http import Headers
from connectors.oauth2.parameters import add_query
from connectors.oauth2.paths import Answer
from tenants.credentials import Credentials

logger = logging.getLogger(__name__)

_PORTS = {"http": 80, "https": 443}


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme.lower())


class ApiSession(requests.Session):
    """A session that signs its requests with an instance's token.

    Addresses are relative to the API's base address (`/users/me`); absolute ones must be of the same origin, so that a
    token goes nowhere else. Where the API's answer means “this token is dead” (`refresh.on_status`, `refresh.on_body`),
    the token is renewed and the request made once more.
    """

    def __init__(self, read: Callable[[], Credentials], refresh: Refresh) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("https://", GuardedAdapter())
        self.mount("http://", GuardedAdapter())
        self._read = read
        self._refresh = refresh

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Sign a request. Raises `ValueError` for an address of another origin than the API's."""
        credentials = self._read()
        request.url = _absolute(str(request.url or ""), credentials.base_url)
        prepared = super().prepare_request(request)
        _sign(prepared, credentials, {name.lower() for name in request.headers or {}})
        return prepared

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send, and once more with a new token if the API turned this one down.

        Raises `UnrewindableBodyError` if the body can't be sent twice; the token is renewed all the same.
        """
        response = super().send(request, **kwargs)
        signed: _Signed | None = getattr(request, "signed", None)
        if signed is None or not self._means_dead(response, signed, stream=bool(kwargs.get("stream"))):
            return response
        if not signed.credentials.report_rejected():
            renewed = self._read()
            if renewed.access_token == signed.credentials.access_token:
                return response
        else:
            renewed = self._read()
        response.close()
        retry = self._repeated(request, response)
        _sign(retry, renewed, signed.own_headers)
        second = super().send(retry, **kwargs)
        second.history = [response, *second.history]
        return second

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """A redirect to another origin takes no signing header along (`requests` drops Authorization only)."""
        signed: _Signed | None = getattr(response.request, "signed", None)
        left = bool(
            self.should_strip_auth(str(response.request.url), str(prepared_request.url))  # type: ignore[no-untyped-call]
        )
        for name in signed.names if signed and left else ():
            prepared_request.headers.pop(name, None)
        if signed and not left:
            prepared_request.signed = signed  # type: ignore[attr-defined]
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]

    def _means_dead(self, response: requests.Response, signed: "_Signed", *, stream: bool) -> bool:
        if _origin(str(response.url)) != signed.origin:
            return False
        if response.status_code in self._refresh.on_status:
            return True
        if not self._refresh.on_body or stream or not response.ok:
            return False
        return _says(response, self._refresh.on_body)

    def _repeated(self, request: requests.PreparedRequest, response: requests.Response) -> requests.PreparedRequest:
        retry = request.copy()
        if request.body is None or isinstance(request.body, str | bytes):
            return retry
        try:
            rewind_body(retry)
        except UnrewindableBodyError:
            pass
        else:
            return retry
        raise UnrewindableBodyError(
            f"The API turned the token down (status {response.status_code}). It has been renewed, but the request's "
            "body was a stream that can't be sent twice, so the request was not repeated. Make it again.",
            response=response,
        )


class _Signed:
    """With what a request was signed."""

    def __init__(self, credentials: Credentials, url: str, own_headers: set[str], bare_url: str) -> None:
        self.credentials = credentials
        self.origin = _origin(url)
        self.own_headers = own_headers
        self.bare_url = bare_url
        self.names = [name for name in credentials.headers if name.lower() not in own_headers]


def _absolute(url: str, base_url: str) -> str:
    if not urlsplit(url).scheme:
        if not base_url:
            raise ValueError(f"“{url}” is relative, and the connector has no base URL. Give the whole address.")
        return base_url if not url else f"{base_url}{'' if url.startswith(('/', '?')) else '/'}{url}"
    if base_url and _origin(url) != _origin(base_url):
        raise ValueError(
            f"The token is for {'://'.join(_origin(base_url)[:2])}, not for {'://'.join(_origin(url)[:2])}. "
            "To send it elsewhere all the same, sign a request of your own with credentials().headers."
        )
    return url


def _sign(prepared: requests.PreparedRequest, credentials: Credentials, own_headers: set[str]) -> None:
    """Add what signs the request; header fields that the caller set stay as the caller set them."""
    before: _Signed | None = getattr(prepared, "signed", None)
    bare_url = before.bare_url if before else str(prepared.url)
    prepared.url = add_query(bare_url, credentials.query)
    signed = _Signed(credentials, prepared.url, own_headers, bare_url)
    for name in signed.names:
        prepared.headers[name] = credentials.headers[name]
    prepared.signed = signed  # type: ignore[attr-defined]


def _says(response: requests.Response, on_body: Mapping[str, list[Any]]) -> bool:
    """Whether the answer holds, at one of the paths, one of the values."""
    try:
        tree = json.loads(response.content)
    except (ValueError, RecursionError):
        return False
    answer = Answer(tree, "", Headers(tuple(response.headers.items())))
    return any(
        str(found) in {str(value) for value in values}
        for path, values in on_body.items()
        if (found := answer.find(path)) is not None
    )
