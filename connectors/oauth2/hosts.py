"""Host names and base addresses that a value may hold."""

import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)")
_PORT = re.compile(r":([0-9]*)$")
_BASE = re.compile(r"(https?)://([^/?#]+)([^?#]*)", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\\s]")
_USUAL_PORTS = {"http": "80", "https": "443"}
PATH_SAFE = "%/:@!$&'()*+,;=~-._"


class BadAddress(ValueError):
    """A host name or address that can't be used; the message says why, and does not repeat it."""


def normal_origin(origin: str) -> str:
    """Scheme, host and port in lower case, the port only where it isn't the scheme's usual one: spelt one way."""
    origin = origin.lower()
    match = _PORT.search(origin)
    if match is None:
        return origin
    port, rest = match[1].lstrip("0"), origin[: match.start()]
    return rest if port in ("", _USUAL_PORTS.get(origin.partition(":")[0])) else f"{rest}:{port}"


def checked_labels(text: str) -> str:
    """`text` in lower case, if it is one or more DNS labels: letters, digits and inner hyphens. Raises `BadAddress`."""
    text = text.lower()
    if not text:
        raise BadAddress("it is empty")
    if len(text) > 253:
        raise BadAddress("it is longer than 253 characters")
    if not all(_LABEL.fullmatch(label) for label in text.split(".")):
        raise BadAddress(
            "a host name is made of letters, digits and hyphens, in parts of 1 to 63 characters with dots between them"
        )
    return text


def checked_host(host: str) -> str:
    """`host` in lower case, if it is a valid host name or an IPv4 address in its usual form. Raises `BadAddress`."""
    host = checked_labels(host)
    # Browsers and resolvers read a last label that is a number as an odd spelling of an IPv4 address.
    if re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2]) and not _IPV4.fullmatch(host):
        raise BadAddress("a host name can't end in a number")
    return host


def checked_base(address: str) -> str:
    """An address to which a path can be added: http(s), host, perhaps port and path; without a trailing slash.

    Raises `BadAddress`.
    """
    if _FORBIDDEN.search(address):
        raise BadAddress("it holds a space, a line break or a backslash")
    # Not urlsplit(): what it makes of odd brackets differs from one patch release of Python to the next.
    parts = _BASE.match(address)
    if parts is None:
        raise BadAddress("it must be an address such as https://api.example.com")
    scheme, authority, path = parts[1].lower(), parts[2], parts[3]
    if "@" in authority:
        raise BadAddress("it may not hold a user name or password")
    if "?" in address or "#" in address:
        raise BadAddress("it may not hold a query or a fragment")
    if has_dot_segment(path):
        raise BadAddress("its path may not hold “.” or “..”")
    return f"{scheme}://{_checked_authority(authority)}{quote(path, safe=PATH_SAFE)}".rstrip("/")


def _checked_authority(netloc: str) -> str:
    """Host and perhaps port, in one spelling."""
    host, port = netloc.lower(), ""
    if match := _PORT.search(host):
        host, port = host[: match.start()], match[1].lstrip("0")
        if not 0 < len(port) <= 5 or int(port) > 65535:
            raise BadAddress("its port is not a number from 1 to 65535")
    elif ":" in host.rpartition("]")[2]:
        raise BadAddress("its port is not a number from 1 to 65535")
    host = host if _is_ipv6(host) else checked_host(host)
    return f"{host}:{port}" if port else host


def _is_ipv6(host: str) -> bool:
    if not (host.startswith("[") and host.endswith("]")):
        return False
    try:
        return IPv6Address(host[1:-1]).scope_id is None
    except AddressValueError:
        return False


def has_dot_segment(path: str) -> bool:
    """Whether a part of the path is `.` or `..`, spelled plainly or percent-encoded."""
    return any(re.sub("%2e", ".", segment, flags=re.IGNORECASE) in (".", "..") for segment in path.split("/"))
