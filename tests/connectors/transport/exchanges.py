"""Requests to the servers of a test, and what must never be seen of them."""

from ipaddress import ip_address

from connectors.addresses import AllowList
from connectors.oauth2.http import Headers, HttpRequest
from connectors.transport import Outbound

SECRET = "s3cr3t-value"
BODY = b"secret=s3cr3t-value"
LOCAL = Outbound(allowed=AllowList.parse(["127.0.0.0/8"]), timeout=5)
HERE = [ip_address("127.0.0.1")]


def to(server, path="/token", *, method="POST", body=BODY, host="127.0.0.1", scheme="http"):
    url = f"{scheme}://{host}:{server.port}{path}?key={SECRET}"
    return HttpRequest(method, url, Headers((("Authorization", f"Basic {SECRET}"),)), None if method == "GET" else body)


def here(host, port):
    return HERE


def assert_holds_no_secret(error):
    texts = []
    while error is not None:
        texts.append(f"{error!s} {error!r} {error.args!r} {vars(error)!r}")
        error = error.__cause__ or error.__context__
    assert SECRET not in " ".join(texts)
