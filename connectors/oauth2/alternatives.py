"""Other ways to send the same token request, worth trying when a provider refuses it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.oauth2.definition import AuthMethod, TokenRequest
from connectors.oauth2.errors import CredentialsRefused, LatchkeyError
from connectors.oauth2.method import Method
from connectors.oauth2.parameters import CONTENT_TYPES
from connectors.oauth2.templates import Rendering
from connectors.oauth2.trial import Trial

Way = tuple[str, str, str]  # client_authentication, basic_encoding, body_format

_AUTHENTICATIONS = {
    ("client_secret_basic", "rfc6749"): "ID and secret in the Authorization header (client_secret_basic)",
    ("client_secret_basic", "raw"): "… in the Authorization header, without percent-encoding them first",
    ("client_secret_post", "rfc6749"): "ID and secret in the body (client_secret_post)",
}
_BODIES = {"form": "a form body", "json": "a JSON body"}
# Where the client is at fault, as the provider says: its authentication is the likelier cause.
_OF_CLIENT = frozenset({"invalid_client", "unauthorized_client", "access_denied"})
# Where it could not read the request: more likely the body.
_OF_REQUEST = frozenset({"invalid_request", "unsupported_grant_type", ""})
# Codes that come only once the client is known and the request was read.
_FURTHER = frozenset({"invalid_scope", "invalid_target", "unauthorized_client"})
_STATUSES = frozenset({400, 401, 403, 406, 415, 422, 500})


@dataclass(frozen=True)
class Alternative:
    """One way. `changes` are what `token_request` would say, by key."""

    way: Way
    title: str
    changes: Mapping[str, str]

    @property
    def key(self) -> str:
        return "/".join(self.way)


def worth_trying(trial: Trial) -> tuple[Alternative, ...]:
    """The ways that may help after a failed trial, the likeliest first; none where they can't."""
    code = _code(trial.error)
    if trial.answer is None or trial.status not in _STATUSES or code not in _OF_CLIENT | _OF_REQUEST:
        return ()
    request = trial.method.definition.token_request
    present = _way(request)
    ways = [way for way in _ways(request, trial.rendering) if way != present]
    body_first = code not in _OF_CLIENT and trial.status not in (401, 403)
    ways.sort(key=lambda way: _distance(present, way, body_first=body_first))
    return tuple(_alternative(request, way) for way in ways)


def with_alternative(method: Method, alternative: Alternative) -> Method:
    """The method, its token request sent in the other way."""
    request = method.definition.token_request
    changes: dict[str, Any] = dict(alternative.changes)
    if request.headers:
        old = CONTENT_TYPES.get(request.body_format)
        changes["headers"] = {
            name: value for name, value in request.headers.items() if name.lower() != "content-type" or value != old
        }
    definition = method.definition.model_copy(update={"token_request": request.model_copy(update=changes)})
    # Read again, so that what is tried is what could be saved.
    checked = AuthMethod.model_validate(definition.stated())
    return Method(method.connector.model_copy(update={"auth_methods": [checked]}), checked)


def is_better(before: Trial, after: Trial) -> bool:
    """Whether a way got further: a token, or an error that comes only once client and request were understood."""
    if after.error is None:
        return True
    code = _code(after.error)
    return code in _FURTHER and code != _code(before.error)


def _code(error: LatchkeyError | None) -> str:
    return error.error if isinstance(error, CredentialsRefused) else ""


def _way(request: TokenRequest) -> Way:
    encoding = request.basic_encoding if request.client_authentication == "client_secret_basic" else "rfc6749"
    return request.client_authentication, encoding, request.body_format


def _ways(request: TokenRequest, rendering: Rendering) -> Iterator[Way]:
    authentications = [
        (name, encoding) for name, encoding in _AUTHENTICATIONS if encoding != "raw" or _differs(rendering)
    ]
    if (request.client_authentication, "rfc6749") not in _AUTHENTICATIONS:
        # An assertion, or credentials that the document places itself: only how the body is written can be varied.
        authentications = [(request.client_authentication, "rfc6749")]
    bodies = _BODIES if request.body_format in _BODIES and _fits_any(request.parameters) else [request.body_format]
    return ((name, encoding, body) for name, encoding in authentications for body in bodies)


def _differs(rendering: Rendering) -> bool:
    """Whether percent-encoding changes the client's ID or secret."""
    pair = (rendering.values.get(name, "") for name in ("client_id", "client_secret"))
    return any(quote(text, safe="") != text for text in pair)


def _fits_any(parameters: Any) -> bool:
    return isinstance(parameters, dict) and all(isinstance(item, str) or item is None for item in parameters.values())


def _distance(present: Way, way: Way, *, body_first: bool) -> tuple[int, int, int]:
    authentication, body = way[:2] != present[:2], way[2] != present[2]
    likelier = authentication if body_first else body
    return authentication + body, int(likelier), int(way[1] == "raw")


def _alternative(request: TokenRequest, way: Way) -> Alternative:
    name, encoding, body = way
    present = _way(request)
    parts = []
    if way[:2] != present[:2] and (name, encoding) in _AUTHENTICATIONS:
        parts.append(_AUTHENTICATIONS[name, encoding].replace("… in", "ID and secret in"))
    if body != present[2]:
        parts.append(_BODIES[body])
    stated = {"client_authentication": name, "basic_encoding": encoding, "body_format": body}
    before = {"client_authentication": present[0], "basic_encoding": request.basic_encoding, "body_format": present[2]}
    return Alternative(way, ", ".join(parts), {key: value for key, value in stated.items() if before[key] != value})
