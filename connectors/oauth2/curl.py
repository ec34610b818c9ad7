"""A request as the command that curl takes, for a POSIX shell."""

import re
from shlex import quote

from connectors.oauth2.http import HttpRequest
from connectors.oauth2.marking import Marker

# curl takes both from files; whoever runs the command puts them there.
CERTIFICATE_FILE = "certificate.pem"
KEY_FILE = "private-key.pem"
_GLOBBED = re.compile(r"[\[\]{}]")
_FORM = "application/x-www-form-urlencoded"


def curl(request: HttpRequest, *, marker: Marker | None) -> str:
    """The command, secrets covered; with `marker` None it is whole, and does what the request does."""
    cover = marker.masked if marker is not None else str
    words = [["curl"], ["--request", request.method]]
    if _GLOBBED.search(request.url):
        words.append(["--globoff"])
    words.append(["--url", cover(request.url)])
    if request.certificate is not None:
        words += [["--cert", CERTIFICATE_FILE], ["--key", KEY_FILE]]
    for name, value in request.headers.fields:
        # A field without a value is written with a semicolon; behind a colon curl would leave it out.
        words.append(["--header", f"{name}: {cover(value)}" if value else f"{name};"])
    body = request.body
    if body is not None:
        if "Content-Type" not in request.headers:
            words.append(["--header", "Content-Type:"])  # or curl says that it is a form
        words.append(["--data-raw", cover(body.decode(errors="replace"))])
    return " \\\n  ".join(" ".join([word[0], *map(quote, word[1:])]) for word in words)
