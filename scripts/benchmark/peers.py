"""How others fetch a token, and how they remember one."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import msal
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session as OAuthlibSession

from scripts.benchmark.population import VALUES

DATA = {"grant_type": "client_credentials", **VALUES}
Fetch = Callable[[int], None]


def bare(url: str) -> Fetch:
    """One warm `requests.Session` that posts and parses: what everything is compared with."""
    session = requests.Session()

    def run(times: int) -> None:
        for _ in range(times):
            session.post(url, data=DATA).json()

    return run


def authlib(url: str, *, is_kept: bool) -> Fetch:
    """A session for each fetch, as its documentation has it, or a single one."""

    def made() -> Any:
        session = AuthlibSession(
            VALUES["client_id"],
            VALUES["client_secret"],
            token_endpoint_auth_method="client_secret_post",  # noqa: S106
        )
        return session

    kept = made()

    def run(times: int) -> None:
        for _ in range(times):
            (kept if is_kept else made()).fetch_token(url, grant_type="client_credentials")

    return run


def requests_oauthlib(url: str, *, is_kept: bool) -> Fetch:
    """A session for each fetch, as its documentation has it, or a single one."""

    def made() -> Any:
        return OAuthlibSession(client=BackendApplicationClient(client_id=VALUES["client_id"]))

    kept = made()

    def run(times: int) -> None:
        for _ in range(times):
            session = kept if is_kept else made()
            session.fetch_token(url, client_secret=VALUES["client_secret"], include_client_id=True)

    return run


class _Entra:
    """Answers msal's discovery and its token request, without a network."""

    def get(self, url: str, **kwargs: Any) -> Any:
        base = "https://login.microsoftonline.com/tenant"
        return _Answer({"token_endpoint": f"{base}/token", "authorization_endpoint": f"{base}/authorize",
                        "issuer": "https://login.microsoftonline.com/tenant/v2.0"})  # fmt: skip

    def post(self, url: str, **kwargs: Any) -> Any:
        return _Answer({"access_token": "y" * 1100, "token_type": "Bearer", "expires_in": 36000})

    def close(self) -> None:
        pass


class _Answer:
    status_code = 200

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.text = json.dumps(body)
        self.headers: dict[str, str] = {}

    def raise_for_status(self) -> None:
        pass


def msal_cached() -> Fetch:
    """msal's answer from its own cache, in the process's memory."""
    application = msal.ConfidentialClientApplication(
        VALUES["client_id"],
        client_credential=VALUES["client_secret"],
        authority="https://login.microsoftonline.com/tenant",
        http_client=_Entra(),
        instance_discovery=False,
    )
    scopes = ["https://graph.microsoft.com/.default"]

    def run(times: int) -> None:
        for _ in range(times):
            assert application.acquire_token_for_client(scopes)["access_token"]  # noqa: S101 -- or it measures errors

    return run


def authlib_cached() -> Fetch:
    """Authlib's look at whether the token in its session still lives."""
    token = {"access_token": "y" * 1100, "token_type": "Bearer", "expires_in": 36000, "expires_at": time.time() + 36000}
    session = AuthlibSession(VALUES["client_id"], VALUES["client_secret"], token=token)

    def run(times: int) -> None:
        for _ in range(times):
            assert session.ensure_active_token(session.token)  # noqa: S101 -- or it measures errors

    return run
