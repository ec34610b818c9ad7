"""What the catalogue's entries send, as recorded in `catalogue_expectations/KEY.json` and reviewed there.

    python -m tests.connectors.catalogue_rendering [KEY…]

writes these files anew: of the entries that are named, or of all. Read the difference against the provider's
documentation before committing it. `answer` in a file is the provider's documented answer, copied in shape by hand;
where there is none the test makes one of the shape that the definition expects.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from connectors import ready_made
from connectors.oauth2.definition import Connector, Variable
from connectors.oauth2.http import HttpRequest
from connectors.oauth2.method import Method
from connectors.oauth2.request import make_request, make_token_request
from connectors.oauth2.templates import Rendering
from connectors.oauth2.values import resolve
from tests.connectors.catalogue_assertions import private_key, said, without_jwt, without_keys
from tests.connectors.catalogue_certificates import pasted, subject

FOLDER = Path(__file__).parent / "catalogue_expectations"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# Both hold what must be encoded, or not, in a form, in JSON and in Basic.
CREDENTIALS = {"client_id": "my-id", "client_secret": "s3c/r+t=&é"}


def methods(connector: Connector) -> list[Method]:
    return [Method(connector, definition) for definition in connector.auth_methods]


def given(method: Method, **more: str) -> dict[str, str]:
    """What a tenant's user types who follows the examples: nothing where there is a default.

    `more` is what is chosen instead of a default; a private key fits it.
    """
    chosen = _resolved(method, more)
    return {
        variable.key: private_key(method, variable.key, chosen) or pasted(method, variable.key) or _example(variable)
        for variable in method.asked
        if variable.is_typed_by_tenant and not variable.default and (variable.required or variable.example)
    }


def _example(variable: Variable) -> str:
    if variable.example:
        return variable.example
    if variable.options:
        return variable.options[0].value
    return CREDENTIALS.get(variable.key) or CREDENTIALS["client_secret"]


def rendering(method: Method, **more: str) -> Rendering:
    """The values, with what the stand-in's answers to the steps hold."""
    return _resolved(method, {**given(method, **more), **more}).with_values(kept_by_steps(method))


def kept_by_steps(method: Method) -> dict[str, str]:
    return {name: f"of-{name.replace('.', '-')}" for name in sorted(method.step_names())}


def steps_as_sent(method: Method) -> list[dict[str, Any]]:
    return [as_sent(make_request(method, index, rendering(method))) for index in range(len(method.definition.steps))]


def _resolved(method: Method, values: dict[str, str]) -> Rendering:
    return resolve(method, values, {}, now=NOW, uuid=UUID(int=1))


def as_sent(request: HttpRequest) -> dict[str, Any]:
    stated = {name: value for name, value in request.headers.fields if name != "User-Agent"}
    body = None if request.body is None else request.body.decode()
    asked = {"method": request.method, "url": request.url, "headers": stated, "body": body and without_jwt(body)}
    return {**asked, **said(body or "", CREDENTIALS["client_secret"]), **subject(request)}


def expectations(key: str) -> dict[str, Any]:
    """By method key, as recorded."""
    recorded: dict[str, Any] = json.loads((FOLDER / f"{key}.json").read_text())
    return recorded


def record(key: str) -> None:
    file = FOLDER / f"{key}.json"
    before = expectations(key) if file.exists() else {}
    after = {}
    for method in methods(ready_made.entry(key)):
        name = method.definition.key
        sent = as_sent(make_token_request(method, rendering(method)))
        kept = {"answer": before[name]["answer"]} if "answer" in before.get(name, {}) else {}
        before_it = {"steps": steps} if (steps := steps_as_sent(method)) else {}
        after[name] = {"given": without_keys(given(method)), **before_it, "request": sent, **kept}
    file.write_text(json.dumps(after, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    for key in sys.argv[1:] or ready_made.keys():
        record(key)


if __name__ == "__main__":
    main()
