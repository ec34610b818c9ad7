"""What makes a set-up link: 256 random bits in its path, stored as a keyed hash; reading the database opens none."""

import re
import secrets

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from integrations.models import Session

_BYTES = 32
# Told from other texts by its beginning, so that logs can leave it out.
_FORM = re.compile(r"lks_[A-Za-z0-9_-]{43}")


def new() -> tuple[str, str]:
    """The link's secret part, and its hash."""
    text = "lks_" + secrets.token_urlsafe(_BYTES)
    return text, _digest(text, settings.SECRET_KEY)


def url_of(text: str) -> str:
    """The address that a browser opens."""
    return settings.PUBLIC_URL + reverse("setup:entry", args=[text])


def find(text: str) -> Session | None:
    """The session of a link, whatever became of it; without a query for what can't be one."""
    if not _FORM.fullmatch(text):
        return None
    digests = [_digest(text, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    rows = Session.objects.select_related("integration", "tenant").filter(digest__in=digests).order_by()
    return next(iter(rows), None)


def _digest(text: str, secret: str | bytes) -> str:
    return salted_hmac("integrations.links", text, secret=secret, algorithm="sha256").hexdigest()
