"""A provider on loopback, to try methods with: a token endpoint and an API."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tests.services.loopback import serving

SECRET = "s3cr3t:v@lue/+ %"
TOKEN = "tok-4f1a9d7c2b"


class Provider(ThreadingHTTPServer):
    """A token endpoint that wants the client in the Authorization header, and an API."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.asked = []
        self.wants = "basic"
        self.said = "me"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.headers, body))
        in_body = parse_qs(body).get("client_secret") == [SECRET]
        in_header = self.headers.get("Authorization", "").startswith("Basic ")
        is_json = self.headers["Content-Type"] == "application/json"
        if {"basic": in_header, "post": in_body, "json": is_json}.get(self.server.wants):
            self.answer(
                200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "note": self.server.said}
            )
        else:
            self.answer(401, {"error": "invalid_client", "error_description": f"Unknown: {body}"})

    def do_GET(self):
        good = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        self.answer(200 if good else 401, {"name": "me"})

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@contextmanager
def running():
    server = Provider()
    with serving(server):
        yield server
