"""A description's address → its bytes: through the guard, a few redirects at most, under one deadline."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urljoin, urlsplit, urlunsplit

from connectors.deadline import Deadline
from connectors.importers.draft import NotReadable
from connectors.importers.source_text import MAX_BYTES
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.http import Headers, HttpRequest, HttpResponse
from connectors.oauth2.request import USER_AGENT
from connectors.transport import send

SECONDS = 30.0
MAX_REDIRECTS = 5
_FIELDS = Headers((("User-Agent", USER_AGENT), ("Accept", "application/json, application/yaml;q=0.9, */*;q=0.5")))

Send = Callable[..., HttpResponse]
Fetch = Callable[[str], "Fetched"]


@dataclass(frozen=True)
class Fetched:
    """What lay at an address, and where the redirects led."""

    address: str
    status: int
    content: bytes

    @property
    def is_there(self) -> bool:
        return 200 <= self.status < 300


def fetcher(*, send: Send = send, seconds: float = SECONDS) -> Fetch:
    """A fetch whose calls share `seconds`."""
    return partial(_fetch, send=send, deadline=Deadline(seconds))


def _fetch(address: str, *, send: Send, deadline: Deadline) -> Fetched:
    """What lies at `address`. Every hop passes the guard. Raises `NotReadable`."""
    for _ in range(MAX_REDIRECTS + 1):
        answer = _asked(address, send, deadline)
        target = answer.headers.get("Location") if answer.status in (301, 302, 303, 307, 308) else ""
        if not target:
            return Fetched(address, answer.status, answer.body)
        try:
            address = urljoin(address, target)
        except ValueError:
            break
    raise NotReadable(f"{shown(address)} redirects without end, or to nowhere. Give the final address.")


def _asked(address: str, send: Send, deadline: Deadline) -> HttpResponse:
    try:
        request = HttpRequest("GET", urlunsplit(urlsplit(address)._replace(fragment="")), _FIELDS)
        return send(request, deadline=deadline.remaining(), max_body=MAX_BYTES)
    except LatchkeyError as error:
        trouble = str(error)
    except TimeoutError:
        trouble = f"{shown(address)} did not answer in time."
    except ValueError:
        trouble = "The address can't be read as one."
    raise NotReadable(trouble)


def shown(address: str) -> str:
    """An address as messages may show it: without user, password, query and fragment."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "the address"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
