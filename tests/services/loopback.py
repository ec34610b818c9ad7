"""HTTP servers that run in a thread of the test's own process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer

# Hundreds of tests start a server each, and wait at its end until it looks whether it is to stop.
LOOKS_EVERY = 0.005  # seconds


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Answer requests until the end, and let go of the port."""
    thread = threading.Thread(target=server.serve_forever, args=(LOOKS_EVERY,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
