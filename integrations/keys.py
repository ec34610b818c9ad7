"""API keys as texts: made once, shown once, found again by their hash.

A key has 256 random bits, so that a fast hash is enough: nobody can try them out. The hash is keyed with SECRET_KEY, so
that who can only write into the database can't put a key there.
"""

import re
import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.crypto import salted_hmac

from integrations.models import ApiKey, Integration
from tenants.models import Tenant

_ALPHABET = string.ascii_letters + string.digits
_RANDOM = 43  # characters out of 62: 256 bits
_SHOWN = 11
_FORM = re.compile(rf"lk_[A-Za-z0-9]{{{_RANDOM}}}")

# How exactly a key's last use is known.
USE_NOTED_EVERY = timedelta(minutes=1)


def issue(
    name: str,
    *,
    scopes: Iterable[str] = tuple(ApiKey.Scope.values),
    integration: Integration | None = None,
    tenant: Tenant | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key. Its text is stored nowhere: who asked must show it now."""
    text = "lk_" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    row = ApiKey.objects.create(
        name=name,
        prefix=text[:_SHOWN],
        digest=_digest(text, settings.SECRET_KEY),
        scopes=[scope for scope in ApiKey.Scope.values if scope in set(scopes)],
        integration=integration,
        tenant=tenant,
        expires_at=expires_at,
    )
    return row, text


def find(text: str) -> ApiKey | None:
    """The key of this text, usable or not; without a query for what can't be one."""
    if not _FORM.fullmatch(text):
        return None
    digests = [_digest(text, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    rows = ApiKey.objects.select_related("integration", "tenant").filter(digest__in=digests).order_by()
    return next(iter(rows), None)


def note_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that the key was used, once a minute at most."""
    if key.last_used_at is not None and key.last_used_at > now - USE_NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def revoke(key: ApiKey, *, now: datetime) -> None:
    """End a key at once and for good."""
    if key.revoked_at is None:
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])


def _digest(text: str, secret: str | bytes) -> str:
    return salted_hmac("integrations.keys", text, secret=secret, algorithm="sha256").hexdigest()
