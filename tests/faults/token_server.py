"""A token endpoint in a process of its own: it fails as told, and writes down every token that it issues.

`python -m tests.faults.token_server` says {"url": …}. `POST /told` sets `mood` (well, down, slow, busy), `takes` and
`lives` (seconds); `GET /book` is everything that happened.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

DEADLINE = 1.0  # seconds: OUTBOUND_TIMEOUT of those who ask
TOO_SLOW = 2.5  # seconds


class Book:
    def __init__(self):
        self.told = {"mood": "well", "takes": 0.2, "lives": 12}
        self.requests = []  # (time, client)
        self.mints = []  # {"client", "token", "at", "lives", "late"}
        self.together = 0  # requests for a client while another one was in flight
        self._in_flight = {}
        self._lock = threading.Lock()

    def enter(self, client):
        with self._lock:
            now = time.time()
            self.requests.append((now, client))
            self.together += now - self._in_flight.get(client, 0.0) < DEADLINE
            self._in_flight[client] = now

    def leave(self, client, *, is_minted):
        with self._lock:
            is_late = time.time() - self._in_flight.pop(client, 0.0) >= DEADLINE
            if not is_minted:
                return None
            mint = {"client": client, "token": f"token-{len(self.mints) + 1}", "at": time.time(), "late": is_late}
            mint["lives"] = self.told["lives"]
            # By the clock that all processes of a machine share, however wrong their time of day is made.
            mint["dies"] = time.monotonic() + mint["lives"]
            self.mints.append(mint)
            return mint


BOOK = Book()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.say(200, {"requests": BOOK.requests, "mints": BOOK.mints, "together": BOOK.together})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/told":
            BOOK.told.update(json.loads(body))
            return self.say(200, {})
        return self.answer(parse_qs(body.decode())["client_id"][0], dict(BOOK.told))

    def answer(self, client, told):
        BOOK.enter(client)
        if told["mood"] == "down":
            BOOK.leave(client, is_minted=False)
            self.close_connection = True
            return None
        if told["mood"] == "busy":
            BOOK.leave(client, is_minted=False)
            return self.say(429, {"error": "slow_down"}, {"Retry-After": "3"})
        time.sleep(TOO_SLOW if told["mood"] == "slow" else told["takes"])
        mint = BOOK.leave(client, is_minted=True)
        return self.say(200, {"access_token": mint["token"], "token_type": "Bearer", "expires_in": mint["lives"]})

    def say(self, status, what, headers=()):
        body = json.dumps(what).encode()
        self.send_response(status)
        for name, value in {**dict(headers), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """A client that is killed or gives up is no news."""


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever(poll_interval=0.05)
