"""What makes a set-up link: 256 random bits in its path, stored as a keyed hash; reading the database opens none."""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from integrations.models import Brand, HandOn, Integration, Session

_BYTES = 32
# Told from other texts by its beginning, so that logs can leave it out.
_FORM = re.compile(r"lks_[A-Za-z0-9_-]{43}")


def new() -> tuple[str, str]:
    """The link's secret part, and its hash."""
    text = "lks_" + secrets.token_urlsafe(_BYTES)
    return text, _digest(text, settings.SECRET_KEY)


def url_of(text: str, integration: Integration | None = None) -> str:
    """The address that a browser opens: under the integration's own domain, if it has one."""
    brand = Brand.objects.only("custom_domain").filter(integration=integration).first() if integration else None
    public = urlsplit(settings.PUBLIC_URL)
    port = f":{public.port}" if public.port else ""
    site = f"{public.scheme}://{brand.custom_domain}{port}" if brand and brand.custom_domain else settings.PUBLIC_URL
    return site + reverse("setup:entry", args=[text])


def derived(text: str, nonce: str = "") -> tuple[str, str, str]:
    """A nonce, the secret part of a second link made from it and the first one's, and the hash of that.

    Who has the first link can so be shown the second again, which is stored nowhere; none leads from it to the first.
    """
    nonce = nonce or secrets.token_urlsafe(_BYTES)
    made = hmac.digest(text.encode(), f"integrations.links.derived {nonce}".encode(), "sha256")
    second = "lks_" + urlsafe_b64encode(made).decode().rstrip("=")
    return nonce, second, _digest(second, settings.SECRET_KEY)


def find_hand_on(text: str) -> HandOn | None:
    """What was handed on by this link, whatever became of it."""
    if not _FORM.fullmatch(text):
        return None
    rows = HandOn.objects.select_related("session__integration", "session__tenant").filter(digest__in=_digests(text))
    return next(iter(rows.order_by()), None)


def find(text: str) -> Session | None:
    """The session of a link, whatever became of it; without a query for what can't be one."""
    if not _FORM.fullmatch(text):
        return None
    rows = Session.objects.select_related("integration", "tenant").filter(digest__in=_digests(text)).order_by()
    return next(iter(rows), None)


def _digests(text: str) -> list[str]:
    return [_digest(text, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _digest(text: str, secret: str | bytes) -> str:
    return salted_hmac("integrations.links", text, secret=secret, algorithm="sha256").hexdigest()
