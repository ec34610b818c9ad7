"""Can the web be served at this address?"""

import errno
import socket


class PortRefused(Exception):
    """The address can't be served; the message says why and what to do."""


def refuse_unless_free(host: str, port: int) -> None:
    """Raise PortRefused if `host:port` is taken or can't be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise PortRefused(
            f"{host!r} is no address of this machine. Choose one with --host, such as 127.0.0.1."
        ) from None
    with socket.socket(family, kind, protocol) as probe:
        # As gunicorn does: connections that are still closing don't count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            raise PortRefused(_why(host, port, error)) from error


def url(host: str, port: int) -> str:
    """The address for a browser on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop it, or choose another port: --port {_next(port)}"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may only be opened by root. Choose one above 1023: --port 8000"
    return f"Port {port} on {host} can't be opened: {error.strerror}. Choose another with --host and --port."


def _next(port: int) -> int:
    return port + 1 if port < 65535 else 8000
