"""The words of a cURL command → the request that it would send."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from connectors.importers.draft import NotReadable

# Short and long names of what matters, each with an argument.
_SHORT = {
    "X": "request", "H": "header", "d": "data", "u": "user", "F": "form", "A": "user-agent", "e": "referer",
    "b": "cookie", "E": "cert", "x": "proxy", "o": "output", "m": "max-time", "w": "write-out", "c": "cookie-jar",
    "T": "upload-file", "K": "config", "D": "dump-header", "U": "proxy-user", "r": "range", "y": "speed-time",
    "Y": "speed-limit", "C": "continue-at", "Q": "quote", "z": "time-cond", "P": "ftp-port", "t": "telnet-option",
}  # fmt: skip
_WITH_ARGUMENT = frozenset(
    [*_SHORT.values(), "url", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json", "form-string", "key",
     "cacert", "capath", "oauth2-bearer", "connect-timeout", "retry", "retry-delay", "retry-max-time", "resolve",
     "url-query", "cert-type", "key-type", "pass", "interface", "limit-rate", "ciphers", "max-redirs", "noproxy",
     "proto", "tls-max", "stderr", "trace", "trace-ascii", "unix-socket", "variable", "aws-sigv4", "dns-servers"]
)  # fmt: skip
# What changes nothing that a definition could say.
_IDLE = frozenset(
    [
        "output",
        "max-time",
        "write-out",
        "cookie-jar",
        "dump-header",
        "silent",
        "show-error",
        "verbose",
        "include",
        "fail",
        "fail-with-body",
        "no-progress-meter",
        "progress-bar",
        "compressed",
        "globoff",
        "http1.1",
        "http2",
        "http1.0",
        "http3",
        "ipv4",
        "ipv6",
        "connect-timeout",
        "retry",
        "retry-delay",
        "retry-max-time",
        "no-buffer",
        "stderr",
        "trace",
        "trace-ascii",
        "tlsv1.2",
        "tlsv1.3",
        "tlsv1",
        "tls-max",
        "styled-output",
        "basic",
        "remote-name",
        "proto",
        "user-agent",
        "referer",
        "no-keepalive",
        "parallel",
        "ssl-reqd",
        "url",
        "raw",
        "path-as-is",
        "location-trusted",
    ]
)
_FLAGS = {
    "s": "silent", "S": "show-error", "v": "verbose", "i": "include", "f": "fail", "L": "location", "k": "insecure",
    "G": "get", "I": "head", "O": "remote-name", "N": "no-buffer", "g": "globoff", "#": "progress-bar", "4": "ipv4",
    "6": "ipv6", "0": "http1.0", "1": "tlsv1", "j": "junk-session-cookies", "J": "remote-header-name", "n": "netrc",
}  # fmt: skip


@dataclass
class CurlRequest:
    """What a command sends. `data` is a text where curl sends one, pairs where all of it are parameters."""

    url: str = ""
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    encoded: list[tuple[str, str]] = field(default_factory=list)
    user: str | None = None
    is_query: bool = False
    is_json: bool = False
    remarks: list[str] = field(default_factory=list)

    @property
    def has_body(self) -> bool:
        return bool(self.data or self.encoded) and not self.is_query

    @property
    def text(self) -> str:
        """All that `-d` brought, as curl joins it; what `--data-urlencode` brought apart."""
        return ("" if self.is_json else "&").join(self.data)

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


def read_words(words: list[str]) -> CurlRequest:
    """The request of `curl …`. Raises `NotReadable`."""
    request = CurlRequest()
    for name, value in _options(iter(words[1:]), request.remarks):
        _apply(request, name, value)
    if not request.url:
        raise NotReadable("The command names no address. Paste it whole, from the word curl to its end.")
    if "://" not in request.url and not request.url.startswith(("{", "$", "<")):
        request.url = f"https://{request.url}"
    _split_user(request)
    return request


def _options(words: Iterator[str], remarks: list[str]) -> Iterator[tuple[str, str]]:
    """Options by long name, with their argument; addresses as `url`."""
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, joined, value = word[2:].partition("=")
            if name in _WITH_ARGUMENT:
                yield name, value if joined else next(words, "")
            else:
                yield name, ""
        elif word.startswith("-") and len(word) > 1:
            yield from _short(word[1:], words)
        elif word not in ("", "-"):
            yield "url", word


def _short(letters: str, words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """`-sSL`, `-XPOST`, `-X POST`."""
    for at, letter in enumerate(letters):
        if letter in _SHORT:
            yield _SHORT[letter], letters[at + 1 :] or next(words, "")
            return
        yield _FLAGS.get(letter, letter), ""


def _apply(request: CurlRequest, name: str, value: str) -> None:
    reader = _READERS.get(name)
    if reader is not None:
        reader(request, value)
    elif name not in _IDLE:
        request.remarks.append(f"The option {'-' if len(name) == 1 else '--'}{name[:40]} was not read.")


def _url(request: CurlRequest, value: str) -> None:
    if not request.url:
        request.url = value
    elif "://" in value:
        request.remarks.append("The command names a second address; only the first was read.")
    else:
        request.remarks.append("A word of the command stands alone and was not read; a quote may be missing.")


def _header(request: CurlRequest, value: str) -> None:
    name, colon, content = value.partition(":")
    if value.startswith("@"):
        request.remarks.append("Headers from a file (-H @…) were not read.")
    elif colon and content.strip():
        request.headers.append((name.strip(), content.strip()))
    elif value.endswith(";"):
        request.remarks.append(f"The header {name.strip(' ;')[:60]} is sent empty, and was left out.")


def _data(request: CurlRequest, value: str) -> None:
    if value.startswith("@"):
        request.remarks.append("A body from a file (-d @…) was not read: fill in token_request.body.")
        return
    request.data.append(value)


def _raw(request: CurlRequest, value: str) -> None:
    request.data.append(value)


def _json(request: CurlRequest, value: str) -> None:
    request.is_json = True
    _data(request, value)


def _urlencode(request: CurlRequest, value: str) -> None:
    name, equals, content = value.partition("=")
    if not equals:
        name, at, _ = value.partition("@")
        if at:
            request.remarks.append(f"The parameter {name[:60] or '(unnamed)'} comes from a file and was not read.")
            return
        name, content = "", value
    request.encoded.append((name, content))


def _form(request: CurlRequest, value: str) -> None:
    raise NotReadable(
        "The command sends a multipart form (-F), which a token request can't be. If the documentation has a form with "
        "-d or --data-urlencode, paste that; most servers that take -F take -d as well."
    )


def _head(request: CurlRequest, value: str) -> None:
    raise NotReadable("The command asks for headers alone (-I), which is no token request.")


def _setting(name: str) -> Callable[[CurlRequest, str], None]:
    def read(request: CurlRequest, value: str) -> None:
        setattr(request, name, value)

    return read


def _get(request: CurlRequest, value: str) -> None:
    request.is_query = True


def _bearer(request: CurlRequest, value: str) -> None:
    request.headers.append(("Authorization", f"Bearer {value}"))


def _cookie(request: CurlRequest, value: str) -> None:
    request.headers.append(("Cookie", value))


def _note(sentence: str) -> Callable[[CurlRequest, str], None]:
    def read(request: CurlRequest, value: str) -> None:
        request.remarks.append(sentence)

    return read


_CERTIFICATE = _note("The client certificate was not read: see token_request.tls and tls_client_auth in the docs.")
_READERS: dict[str, Callable[[CurlRequest, str], None]] = {
    "url": _url,
    "request": _setting("method"),
    "header": _header,
    "data": _data,
    "data-ascii": _data,
    "data-binary": _data,
    "data-raw": _raw,
    "data-urlencode": _urlencode,
    "url-query": _note("The option --url-query was not read: write its parameters into token_request.query."),
    "json": _json,
    "form": _form,
    "form-string": _form,
    "user": _setting("user"),
    "get": _get,
    "head": _head,
    "oauth2-bearer": _bearer,
    "cookie": _cookie,
    "cert": _CERTIFICATE,
    "key": _CERTIFICATE,
    "insecure": _note("The option -k was left out: certificates are always checked here."),
    "location": _note("The command follows redirects (-L), token requests don't: write the final address."),
    "digest": _note("Digest authentication (--digest) is not supported."),
    "next": _note("What comes behind --next was not told apart from what comes before it."),
}


def _split_user(request: CurlRequest) -> None:
    """`https://id:secret@host` is the same as -u."""
    try:
        parts = urlsplit(request.url)
    except ValueError:
        raise NotReadable("The command's address can't be read as one.") from None
    user, at, host = parts.netloc.rpartition("@")
    if at:
        request.user = request.user if request.user is not None else unquote(user)
        request.url = urlunsplit(parts._replace(netloc=host))


def parameters(text: str) -> list[tuple[str, str]] | None:
    """A form-encoded text as pairs; None if it is something else."""
    text = text.strip()
    if not text or (text[0] in "{[<" and not text.startswith("{{")) or "=" not in text.split("&")[0]:
        return None
    return parse_qsl(text, keep_blank_values=True)
