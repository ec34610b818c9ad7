"""Answers of every kind that endpoints give, and some that none should, as the bytes that come out of a connection."""

import gzip
import json
import random
from collections.abc import Callable

CUT = 8_192  # bytes of a body that are read at most
_TEXTS = (
    "t",
    "",
    "invalid_client",
    "ä€😀",
    "a b",
    "\x00",
    "x" * 300,
    "0",
    "2026-01-02T03:04:05Z",
    "PT1H",
    "90m",
    "9" * 30,
)
_NAMES = (
    "access_token",
    "expires_in",
    "expires_at",
    "error",
    "error_description",
    "data",
    "session",
    "code",
    "a.b",
    "",
)
_TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "application/problem+json",
    "text/xml",
    "application/xml; charset=iso-8859-1",
    "application/x-www-form-urlencoded",
    "text/html; charset=utf-8",
    "text/plain",
    "image/png",
    "application/json; charset=idna",
    "text/xml; charset=punycode",
    ";;;",
    "",
)
_STATUSES: tuple[int, ...] = (
    200,
    200,
    200,
    200,
    201,
    202,
    204,
    205,
    206,
    301,
    302,
    307,
    400,
    400,
    401,
    403,
    404,
    405,
    408,
    415,
    418,
    422,
)
_STATUSES += (425, 429, 500, 502, 503, 504, 599)


def answer(drawn: random.Random) -> bytes:
    """One answer as it comes over the wire: well-formed HTTP more often than not."""
    if drawn.random() < 0.03:
        return drawn.randbytes(drawn.randrange(200))
    is_likely = drawn.random() < 0.4
    status = 200 if is_likely else drawn.choice(_STATUSES)
    body = json.dumps(_token(drawn)).encode() if is_likely else _body(drawn)
    fields = [("Content-Type", "application/json" if is_likely else drawn.choice(_TYPES)), *_fields(drawn)]
    if drawn.random() < 0.05:
        fields.append(("Content-Encoding", drawn.choice(["gzip", "deflate", "br", "identity"])))
        body = gzip.compress(body) if drawn.random() < 0.7 else body
    framing, body = _framed(drawn, body)
    head = "".join(f"{name}: {value}\r\n" for name, value in [*fields, *framing]).encode("latin-1", "replace")
    whole = f"HTTP/1.1 {status} Said\r\n".encode() + head + b"\r\n" + body
    if drawn.random() < 0.05:
        whole = b"HTTP/1.1 103 Early Hints\r\n\r\n" + whole
    return whole[: drawn.randrange(len(whole) + 1)] if drawn.random() < 0.05 else whole


def _fields(drawn: random.Random) -> list[tuple[str, str]]:
    known = (
        ("Retry-After", drawn.choice(["7", "-1", "9" * 40, "soon", "Wed, 21 Oct 2099 07:28:00 GMT", "1e9"])),
        ("Location", drawn.choice(["https://elsewhere.example/", "//", "javascript:1", "http://169.254.169.254/"])),
        ("Set-Cookie", drawn.choice(["sid=abc; Path=/; HttpOnly", "sid=", "=", ";;;", 'sid="a b"'])),
        ("X-Token", drawn.choice(_TEXTS[:5])),
        ("WWW-Authenticate", 'Basic realm="x"'),
        ("DPoP-Nonce", "n-1"),
    )
    return [field for field in known if drawn.random() < 0.15]


def _framed(drawn: random.Random, body: bytes) -> tuple[list[tuple[str, str]], bytes]:
    way = drawn.random()
    if way < 0.6:
        return [("Content-Length", str(len(body)))], body
    if way < 0.75:
        return [("Connection", "close")], body
    if way < 0.9:
        size = drawn.randrange(1, 400)
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        chunks = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
        return [("Transfer-Encoding", "chunked")], chunks + b"0\r\n\r\n"
    wrong = drawn.choice(["-1", "999999999999", "zwölf", str(len(body) + 5), str(max(len(body) - 5, 0)), "1, 2"])
    return [("Content-Length", wrong)], body


def _body(drawn: random.Random) -> bytes:
    return drawn.choice(_BODIES)(drawn)


def _tree(drawn: random.Random, depth: int = 0) -> object:
    kind = drawn.random()
    if kind < 0.45 and depth < 4:
        return {drawn.choice(_NAMES): _tree(drawn, depth + 1) for _ in range(drawn.randrange(5))}
    if kind < 0.55 and depth < 4:
        return [_tree(drawn, depth + 1) for _ in range(drawn.randrange(4))]
    leaf = drawn.randrange(6)
    if leaf == 0:
        return drawn.choice([None, True, False])
    if leaf == 1:
        return drawn.choice([0, -1, 3600, 10**18, 10**400, 1e308, float("inf"), float("nan"), 0.5])
    return drawn.choice(_TEXTS)


def _token(drawn: random.Random) -> dict[str, object]:
    lifetimes: list[object] = [3600, "3600", None, -1, 0, 10**30, "soon", "01:00:00", [], {}, 1e400, "9" * 30]
    return {"access_token": "token-1", "session": "s-1", "expires_in": drawn.choice(lifetimes)}


def _json(drawn: random.Random) -> bytes:
    tree = _token(drawn) if drawn.random() < 0.5 else _tree(drawn)
    return json.dumps(tree, ensure_ascii=drawn.random() < 0.5).encode(drawn.choice(["utf-8", "utf-8-sig", "utf-16"]))


def _broken_json(drawn: random.Random) -> bytes:
    text = bytearray(_json(drawn) or b"{}")
    for _ in range(drawn.randrange(1, 6)):
        text[drawn.randrange(len(text))] = drawn.randrange(256)
    return bytes(text[: drawn.randrange(len(text) + 1)])


def _xml(drawn: random.Random) -> bytes:
    inner = "".join(
        f"<{name} a='1'>{drawn.choice(_TEXTS)}</{name if drawn.random() < 0.9 else 'b'}>"
        for name in drawn.choices(["access_token", "error", "session", "n:x"], k=drawn.randrange(4))
    )
    opening = drawn.choice(["", '<?xml version="1.0" encoding="utf-8"?>', '<?xml version="1.0" encoding="x"?>'])
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' if drawn.random() < 0.1 else ""
    return f"{opening}{bomb}<r>{inner}</r>".encode(errors="replace")


def _page(drawn: random.Random) -> bytes:
    return (
        drawn.choice([b"<!DOCTYPE html><title>Sign in</title>", b"<html>502</html>", b"\xef\xbb\xbf<HTML>"]) + b" " * 50
    )


def _giant(drawn: random.Random) -> bytes:
    return drawn.choice([b"a", b"[", b'{"a":', b"<r>", b"a=1&"]) * drawn.randrange(1, 20_000 // 4)


_BODIES: tuple[Callable[[random.Random], bytes], ...] = (
    _json,
    _json,
    _json,
    _broken_json,
    _xml,
    _page,
    _giant,
    lambda drawn: b"",
    lambda drawn: drawn.randbytes(drawn.randrange(300)),
    lambda drawn: drawn.choice([b"access_token=t&expires_in=60", b"error=invalid_client", b"%zz=&&=1", b"token-1\n"]),
    lambda drawn: b'{"error": "use_dpop_nonce"}',
)
