"""A named value of a pasted command → a template: what is secret, or the reader's own, becomes a variable."""

import re

from connectors.importers.names import variable_key, words
from connectors.importers.placeholders import templated, whole
from connectors.importers.variables import Variables, literal

_CLIENT_IDS = frozenset({"client_id", "clientid", "oauth_client_id"})
_CLIENT_SECRETS = frozenset({"client_secret", "clientsecret", "oauth_client_secret"})
# Parts of words, because people write `passcode` and `apikey` as one.
_SECRET_PARTS = re.compile(
    r"secret|pass|pwd|token|key|sign|sig\b|cred|assert|cookie|sess|auth|jwt|hmac|hash|private|cert|pin\b|otp|code\b|nonce"
)
_NOT_SECRET = frozenset({"grant_type", "token_type", "requested_token_type", "subject_token_type", "key_id", "keyid"})
_PERSONAL_WORDS = frozenset(
    [
        "id",
        "username",
        "user",
        "email",
        "account",
        "tenant",
        "customer",
        "merchant",
        "company",
        "organization",
        "organisation",
    ]
)
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATED = re.compile(r"v?[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?(?:[.-][a-z]+[0-9]?)*")
_FIXED = frozenset({"grant_type", "scope", "scopes", "audience", "resource", "response_type", "client_assertion_type"})
_SAFE = re.compile(r"(?:[a-z_\-]+|[A-Za-z_]{1,12}|https?://[^\s]*|urn:[\w:.\-]+|true|false|[0-9]{1,6})")
_RANDOM = re.compile(r"[A-Za-z0-9_\-+/=.~]{16,}")


def is_client_id(name: str) -> bool:
    return variable_key(name) in _CLIENT_IDS


def is_client_secret(name: str) -> bool:
    return variable_key(name) in _CLIENT_SECRETS


def is_secret(name: str) -> bool:
    """Whether what bears this name is nobody else's business."""
    key = variable_key(name)
    return key not in _NOT_SECRET and _SECRET_PARTS.search(key.replace("_", " ")) is not None


def looks_random(value: str) -> bool:
    """Whether a value looks made by a machine: long, and letters mixed with digits."""
    if _SAFE.fullmatch(value) or _DATED.fullmatch(value) or not _RANDOM.fullmatch(value):
        return False
    return any(char.isdigit() for char in value) and any(char.isalpha() for char in value)


def field(name: str, value: str, variables: Variables) -> str:
    """The template for a parameter or header."""
    key = variable_key(name)
    if is_client_id(name):
        return "{{client_id}}"
    if is_client_secret(name):
        return "{{client_secret}}"
    if key == "grant_type" and whole(value) is None:
        return _grant_type(value, variables)
    if key in ("scope", "scopes"):
        return _scope(value, variables)
    if is_secret(name):
        return variables.placeholder(key, secret=True)
    if whole(value) is not None:
        return templated(value, variables, otherwise=key)
    if looks_random(value):
        return variables.placeholder(key, secret=_GUID.fullmatch(value) is None)
    if key not in _FIXED and _PERSONAL_WORDS & {*words(name)[-1:], "".join(words(name))}:
        return variables.placeholder(key)
    return templated(value, variables, otherwise=key) if not value.isspace() else literal(value)


def _grant_type(value: str, variables: Variables) -> str:
    if value != "client_credentials":
        variables.state("grant_type", default=literal(value))
    return "{{grant_type}}"


def _scope(value: str, variables: Variables) -> str:
    found = Variables()
    template = templated(value, found, otherwise="scope")
    if not found.documents() and template == literal(value) and value:
        variables.state("scope", default=template)
    return "{{scope}}"


def segment(text: str, before: str, variables: Variables) -> str:
    """The template for a part of an address's path that looks made by a machine; `before` is the part before it."""
    key = variable_key(f"{before}_id" if before.isalpha() else "path_id")
    return variables.placeholder(key, secret=_GUID.fullmatch(text) is None)
