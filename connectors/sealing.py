"""Values that a page carries for a while, encrypted: nobody reads them there, and only their owner can use them."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.encryption import SecretUnreadable, decrypt, encrypt

LIFE = timedelta(minutes=15)


def seal(values: Mapping[str, str], *, owner: str, now: datetime) -> str:
    """The values as a text that only `unseal` for the same owner reads, for a quarter of an hour. Empty: none."""
    if not values:
        return ""
    until = (now + LIFE).timestamp()
    return encrypt(json.dumps({"owner": owner, "until": until, "values": dict(values)}).encode()).decode()


def unseal(sealed: str, *, owner: str, now: datetime) -> dict[str, str]:
    """The values; none where they are another owner's, too old, or never were sealed here."""
    try:
        read = json.loads(decrypt(sealed.encode())) if sealed else {}
    except SecretUnreadable:
        return {}
    if not isinstance(read, dict) or read.get("owner") != owner or read.get("until", 0) < now.timestamp():
        return {}
    return {str(key): str(value) for key, value in read["values"].items()}
