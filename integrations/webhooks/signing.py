"""What a delivery carries so that its receiver knows who sent it: Standard Webhooks 1.0, https://www.standardwebhooks.com."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

from connectors.oauth2.http import Headers

_BYTES = 32


def new_secret() -> str:
    """A signing secret, as the receiver's library takes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def headers(id: str, body: str, keys: Sequence[str], now: datetime) -> Headers:
    """The headers of a delivery; `now` in UTC. While a secret is being exchanged each of `keys` signs for itself."""
    signatures = [Webhook(key).sign(id, now, body) for key in keys]
    return Headers(
        (
            ("Content-Type", "application/json"),
            ("User-Agent", "Latchkey-Webhooks/1"),
            ("webhook-id", id),
            ("webhook-timestamp", str(int(now.timestamp()))),
            ("webhook-signature", " ".join(signatures)),
        )
    )
