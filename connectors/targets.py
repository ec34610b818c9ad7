"""Where a request goes, read from its address."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

from connectors.addresses import normal_host
from connectors.oauth2.errors import AddressRefused

PORTS = {"http": 80, "https": 443}
# urlsplit() drops tabs and line breaks and browsers read "\" as "/": an address with any of them has two readings.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")
_AS_IT_STANDS = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(slots=True)  # not frozen: one is made for every request
class Target:
    scheme: str
    host: str
    port: int
    path: str = field(repr=False)  # with the query, where secrets may be

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """The target that `url` names. Raises `AddressRefused` for what is none, or could be read as another one."""
    problem = ""
    try:
        parts = urlsplit(url)
        is_named = "@" in parts.netloc  # what stands before it may be secret: it is not for the memory of `_place_in`
        host, port = ("", None) if is_named else _place_in(parts.netloc)
    except ValueError:
        problem = "It can't be read as an address."
    if not problem and _AMBIGUOUS.search(url):
        problem = "It holds a space, a backslash or a control character."
    elif not problem and parts.scheme not in PORTS:
        problem = "It begins with neither https:// nor http://."
    elif not problem and is_named:
        problem = "It holds a user name or a password before the host."
    elif not problem and not host:
        problem = "It names no host."
    elif not problem and port == 0:
        problem = "Its port is 0."
    if problem:
        raise AddressRefused("No request was sent to the address.", problem, "Correct the address in the definition.")
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    # All that isn't printable was refused above.
    path = path if path.isascii() else quote(path, safe=_AS_IT_STANDS)
    return Target(parts.scheme, _normal(host), port or PORTS[parts.scheme], path)


class Targets:
    """Those of addresses that are asked for many times over. Its repr shows none of them."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, Target] = {}

    def of(self, url: str) -> Target:
        """As `target_of`."""
        target = self._known.get(url)
        if target is None:
            target = self._known[url] = target_of(url)
        return target

    def forget(self) -> None:
        self._known.clear()


@lru_cache(maxsize=4096)
def _place_in(netloc: str) -> tuple[str, int | None]:
    """Host and port. Raises ValueError."""
    parts = SplitResult("", netloc, "", "", "")
    return parts.hostname or "", parts.port


_normal = lru_cache(maxsize=4096)(normal_host)
