"""A host application in miniature: its backend creates set-up sessions, its page shows the wizard.

    LATCHKEY_URL=http://127.0.0.1:8000 LATCHKEY_API_KEY=lk_… python docs/examples/embedding/host.py crm-sync acme

It needs Python alone, and prints the address to open. That address must be one of the integration's allowed_origins.
"""

import json
import os
import sys
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LATCHKEY_URL = os.environ.get("LATCHKEY_URL", "http://127.0.0.1:8000")
PAGE = Path(__file__).with_name("host.html").read_text()


class Host(BaseHTTPRequestHandler):
    """The page, and the one call of its backend."""

    integration, tenant = "", ""

    def do_GET(self) -> None:
        self._answer(200, "text/html; charset=utf-8", PAGE.replace("LATCHKEY_URL", LATCHKEY_URL))

    def do_POST(self) -> None:
        """Create a session. Here your application would see who is signed in, and choose the tenant by that."""
        request = urllib.request.Request(  # noqa: S310  (the address is the operator's)
            f"{LATCHKEY_URL}/api/v1/integrations/{self.integration}/sessions",
            json.dumps({"tenant": self.tenant}).encode(),
            {"Authorization": f"Bearer {os.environ['LATCHKEY_API_KEY']}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            created = json.load(answer)
        # Only the link goes to the browser; the API key stays here.
        self._answer(200, "application/json", json.dumps({"target_url": created["target_url"]}))

    def _answer(self, status: int, content_type: str, text: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal shows the address alone."""


if __name__ == "__main__":
    Host.integration, Host.tenant = sys.argv[1], sys.argv[2]
    port = int(os.environ.get("PORT", "3000"))
    server = ThreadingHTTPServer(("127.0.0.1", port), Host)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
