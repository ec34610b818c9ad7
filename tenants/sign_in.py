"""Signing in with a user name and a password, to the wizard and the admin alike; trying them out is slowed down."""

import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from tenants.models.sign_in_failures import SignInFailures

# How many failures within fifteen minutes make the next attempt wait. A user name alone may fail more often than one
# from one address, or anybody could lock anybody out; an address may stand for a whole office.
OF_BOTH, OF_NAME, OF_ADDRESS = 5, 50, 50


class ThrottledBackend(ModelBackend):
    """Django's own, with waits after failures. Raises `ValidationError` with words for the form while one lasts."""

    def authenticate(  # type: ignore[override]  # a clock is handed in by tests
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        *,
        clock: Callable[[], datetime] = timezone.now,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        if username is None or password is None:
            return None
        limits = _limits(username, client_address(request))
        now = clock()
        wait = SignInFailures.objects.wait(limits, now)
        if wait:
            raise ValidationError(_too_many(wait), code="too_many_failures")
        # Counted before it is known: many attempts at once would all get past the limit otherwise.
        SignInFailures.objects.note(limits, now)
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            SignInFailures.objects.take_back(limits)
            SignInFailures.objects.filter(subject__in=[one for one in limits if limits[one] == OF_BOTH]).delete()
        return user

    async def aauthenticate(self, request: HttpRequest | None, **credentials: Any) -> AbstractBaseUser | None:  # type: ignore[override]
        return await sync_to_async(self.authenticate)(request, **credentials)


def client_address(request: HttpRequest | None) -> str:
    """Whence a request comes; IPv6 by its network, of which one client has all addresses. Empty if unknown."""
    if request is None:
        return ""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER:
        # A proxy is in front. It appends whom it saw; what stands before is the client's own word.
        address = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip() or address
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def _limits(username: str, address: str) -> dict[str, int]:
    """What is counted, and how many failures of each are allowed."""
    name = unicodedata.normalize("NFKC", username).strip().casefold()
    limits = {_subject("name", name): OF_NAME, _subject("both", name, address): OF_BOTH}
    return {**limits, _subject("address", address): OF_ADDRESS} if address else limits


def _subject(*parts: str) -> str:
    return salted_hmac("tenants.sign_in", "\n".join(parts), algorithm="sha256").hexdigest()


def _too_many(wait: timedelta) -> str:
    seconds = ceil(wait.total_seconds())
    length = f"{seconds} second{'' if seconds == 1 else 's'}" if seconds <= 90 else f"{ceil(seconds / 60)} minutes"
    return (
        f"Signing in failed too often. Wait {length}, then try again. "
        "If you don't know your password any more, ask the administrator of this platform for a new one."
    )
