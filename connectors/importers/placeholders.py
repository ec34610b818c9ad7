"""What documentation writes where a reader's own value belongs → variables."""

import re

from connectors.importers.names import words
from connectors.importers.variables import Variables, literal

# Where a form has a name in it, it is the group of that form. Order matters: `{{x}}` before `{x}`.
_FORMS = re.compile(
    r"\{\{\s*(?P<twice>[^{}]{1,60}?)\s*\}\}"
    r"|\$\{(?P<shell>[A-Za-z_]\w{0,60})(?:[:\-?][^{}]{0,60})?\}"
    r"|\$(?P<dollar>[A-Za-z_]\w{0,60})"
    r"|%(?P<percent>[A-Za-z_][A-Za-z0-9_]{2,60})%"
    r"|<(?P<angle>[A-Za-z][^<>{}\n]{0,60})>"
    r"|\{(?P<brace>[A-Za-z][\w .\-]{0,60})\}"
    r"|\[(?P<bracket>[A-Z][A-Z0-9_ \-]{1,60})\]"
    r"|(?P<yours>(?<![A-Za-z0-9])(?i:your|my|insert|enter|replace)[_\- ]?"
    r"(?:[A-Z][A-Za-z0-9]*|[_\-][a-z]+|[a-z]+(?=[_\-]))(?:[_\-][A-Za-z0-9]+)*(?![A-Za-z0-9]))"
)
_CAPITALS = re.compile(r"[A-Z]+(?:[_\-][A-Z]+)+")
# One of these must be in a name in capitals: a licence key is in capitals too, and no name.
_NAMING = frozenset(
    ["account", "api", "app", "application", "audience", "client", "code", "company", "customer", "domain", "email",
     "host", "id", "identifier", "key", "name", "org", "organization", "password", "project", "realm", "region",
     "resource", "scope", "secret", "site", "tenant", "token", "url", "user", "username"]
)  # fmt: skip
_MEANINGLESS = re.compile(r"(?i)(?:x{3,}|\*{3,}|\.{3,}|…+|#{3,}|string|value|todo|changeme|redacted)(?:[x*.…#\- ]*)")
_FILLERS = frozenset(
    ["your", "my", "insert", "enter", "replace", "the", "here", "with", "a", "an", "me", "value", "of"]
)


def whole(text: str) -> str | None:
    """The name in a text that is nothing but a placeholder; empty if it names nothing, None if it is none."""
    text = text.strip()
    if _MEANINGLESS.fullmatch(text):
        return ""
    found = _FORMS.fullmatch(text)
    if found:
        return _name(found)
    is_name = _CAPITALS.fullmatch(text) and _NAMING & set(words(text))
    return _without_fillers(text) if is_name else None


def templated(text: str, variables: Variables, *, otherwise: str, secret: bool = False) -> str:
    """The text with placeholders of ours for those in it; `otherwise` names one that names nothing itself."""
    name = whole(text)
    if name is not None:
        return variables.placeholder(name or otherwise, secret=secret)
    pieces, end = [], 0
    for found in _FORMS.finditer(text):
        pieces += [literal(text[end : found.start()]), variables.placeholder(_name(found) or otherwise, secret=secret)]
        end = found.end()
    return "".join([*pieces, literal(text[end:])])


def in_address(address: str, variables: Variables) -> str:
    """An address as a template. What opens it stands for an address itself."""
    address = address.replace("%7B", "{").replace("%7D", "}").replace("%7b", "{").replace("%7d", "}")
    opening = _FORMS.match(address)
    if opening and not opening["yours"]:
        name = _name(opening) or "site"
        start = variables.placeholder(name, format="url")
        return start + templated(address[opening.end() :], variables, otherwise="part")
    pieces, end = [], 0
    for found in _FORMS.finditer(address):
        between = address[end : found.start()]
        pieces += [literal(between), variables.placeholder(_name(found) or "part")]
        end = found.end()
    return "".join([*pieces, literal(address[end:])])


def _name(found: "re.Match[str]") -> str:
    return _without_fillers(next(group for group in found.groups() if group is not None))


def _without_fillers(text: str) -> str:
    """`YOUR_CLIENT_ID_HERE` → `client_id`."""
    return "_".join(word for word in words(text) if word not in _FILLERS)
