"""What the parts of a draft are called."""

import re
import unicodedata
from collections.abc import Container
from urllib.parse import urlsplit

from connectors.importers.draft import one_line
from connectors.oauth2.definition import RESERVED_NAMES

_WORDS = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_LONGEST = 60
# Labels of a host that say what a server does, not whose it is.
_SERVICE_LABELS = frozenset(
    [
        "api",
        "apis",
        "auth",
        "auth0",
        "oauth",
        "oauth2",
        "login",
        "signin",
        "identity",
        "idp",
        "iam",
        "id",
        "ids",
        "sso",
        "account",
        "accounts",
        "token",
        "tokens",
        "www",
        "secure",
        "connect",
        "gateway",
        "rest",
        "sandbox",
        "test",
        "stage",
        "staging",
        "dev",
        "prod",
        "production",
        "eu",
        "us",
        "uk",
        "de",
        "app",
        "apps",
        "services",
    ]
)
_SECOND_LEVEL = frozenset(["co", "com", "org", "net", "gov", "ac", "edu"])


def words(text: str) -> list[str]:
    """`clientID`, `client-id` and `Client ID` are all `client`, `id`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = plain.replace("OAuth2", "Oauth2").replace("OAuth", "Oauth").replace("OpenID", "Openid")
    return [word.lower() for word in _WORDS.findall(plain)]


def slug(text: str, otherwise: str) -> str:
    """A key for a connector or a method."""
    return "-".join(words(text))[:_LONGEST].strip("-") or otherwise


def variable_key(text: str, otherwise: str = "value") -> str:
    """A key for a variable: `Account-ID` → `account_id`."""
    key = "_".join(words(text))[:_LONGEST].strip("_") or otherwise
    key = f"v_{key}" if key[0].isdigit() else key
    return f"{key}_value" if key in RESERVED_NAMES else key


def label(key: str) -> str:
    """`account_id` → `Account ID`."""
    text = " ".join(part.upper() if part in ("id", "url", "api", "otp") else part for part in key.split("_"))
    return text[:1].upper() + text[1:]


def unique(key: str, taken: Container[str], *, joint: str) -> str:
    """`key`, or `key` with the first number that is free."""
    number, candidate = 1, key
    while candidate in taken:
        number += 1
        candidate = f"{key}{joint}{number}"
    return candidate


def service_of(address: str) -> str:
    """The service's name as its host has it: `https://login.acme.co.uk/token` → `Acme`; empty if it has none."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    labels = [part for part in host.split(".") if re.fullmatch(r"[a-z][a-z0-9-]*", part)]
    if host.rpartition(".")[2].isdigit() or not labels:
        return ""
    names = labels[:-1] or labels
    if len(names) > 1 and names[-1] in _SECOND_LEVEL:
        names = names[:-1]
    named = [part for part in names if part not in _SERVICE_LABELS] or names
    return one_line(" ".join(part.capitalize() for part in named[-1].split("-")), 200)
