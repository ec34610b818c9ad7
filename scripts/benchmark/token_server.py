"""A token endpoint in a process of its own, quick enough not to be what is measured.

`/N/token` answers after N milliseconds. It prints its two ports as JSON, and ends with its standard input.
"""

import asyncio
import json
import ssl
import sys

TOKEN = "x" * 1100  # as long as a JWT


class Endpoint(asyncio.Protocol):
    """One connection, kept alive."""

    issued = 0

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            stated = head.find(b"content-length:")
            length = int(head[stated + 15 :].split(b"\r\n")[0]) if stated >= 0 else 0
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        delay = int(head.split(b" ", 2)[1].split(b"/")[1] or 0) / 1000
        if delay:
            asyncio.get_running_loop().call_later(delay, self._write)
        else:
            self._write()

    def _write(self) -> None:
        Endpoint.issued += 1
        body = json.dumps({"access_token": f"{Endpoint.issued:010}{TOKEN}", "token_type": "Bearer", "expires_in": 3600})
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write((head + body).encode())


async def serve(certificate: str, key: str) -> None:
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    servers = [
        await loop.create_server(Endpoint, "127.0.0.1", 0, backlog=512),
        await loop.create_server(Endpoint, "127.0.0.1", 0, backlog=512, ssl=context),
    ]
    http, https = (server.sockets[0].getsockname()[1] for server in servers)
    print(json.dumps({"http": http, "https": https}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:3]))
