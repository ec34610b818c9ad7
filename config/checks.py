"""System checks of the configuration as a whole; `manage.py check` prints them."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.http.request import validate_host

from config import keys

ERROR_NO_KEY = "latchkey.E001"
ERROR_SANDBOX_IN_PRODUCTION = "latchkey.E002"
ERROR_SANDBOX_NOT_INSTALLED = "latchkey.E003"
ERROR_OWN_HOST_AS_CUSTOM_DOMAIN = "latchkey.E020"
WARNING_EVERY_HOST = "latchkey.W001"
WARNING_DEBUG_IN_PUBLIC = "latchkey.W002"


def register() -> None:
    for check in (
        keys_are_given,
        sandbox_stays_at_home,
        hosts_are_named,
        debug_stays_at_home,
        custom_domains_are_others,
    ):
        checks.register(check)


def keys_are_given(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    if settings.DEBUG:
        return []
    return [checks.Error(f"{name} is not set.", hint=keys.remedy(), id=ERROR_NO_KEY) for name in keys.missing()]


def sandbox_stays_at_home(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    """The sandbox hands out tokens to anyone who asks nicely: it belongs on one's own machine."""
    if not settings.SANDBOX:
        return []
    if not settings.SANDBOX_INSTALLED:
        hint = "Install the extra `demo` (django-oauth-toolkit), or leave SANDBOX out."
        return [checks.Error("SANDBOX is on, but its library is missing.", hint=hint, id=ERROR_SANDBOX_NOT_INSTALLED)]
    if is_local(settings.PUBLIC_URL) and _database_is_local():
        return []
    hint = "Leave SANDBOX out, or use a database and a PUBLIC_URL of this machine."
    message = "SANDBOX is on beside a database or a PUBLIC_URL that isn't this machine's."
    return [checks.Error(message, hint=hint, id=ERROR_SANDBOX_IN_PRODUCTION)]


def hosts_are_named(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS or is_local(settings.PUBLIC_URL):
        return []
    hint = "Name the hosts that browsers use, separated by commas."
    return [checks.Warning("ALLOWED_HOSTS lets every host name through.", hint=hint, id=WARNING_EVERY_HOST)]


def debug_stays_at_home(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    if not settings.DEBUG or is_local(settings.PUBLIC_URL):
        return []
    hint = "Set DEBUG=0: error pages show how this installation is set up."
    return [checks.Warning("DEBUG is on for an address that others reach.", hint=hint, id=WARNING_DEBUG_IN_PUBLIC)]


def custom_domains_are_others(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    """Under a custom domain there is no admin and no API: Latchkey's own address can't be one."""
    if not validate_host(urlsplit(settings.PUBLIC_URL).hostname or "", settings.CUSTOM_DOMAINS):
        return []
    hint = "Name only the domains under which customers open set-up links, and neither * nor PUBLIC_URL's host."
    message = "CUSTOM_DOMAINS covers the host of PUBLIC_URL."
    return [checks.Error(message, hint=hint, id=ERROR_OWN_HOST_AS_CUSTOM_DOMAIN)]


def is_local(url: str) -> bool:
    """Does the URL lead to this machine?"""
    return _is_loopback(urlsplit(url).hostname or "")


def _database_is_local() -> bool:
    database = settings.DATABASES["default"]
    host = database.get("HOST", "")
    return database["ENGINE"].endswith("sqlite3") or not host or host.startswith("/") or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
