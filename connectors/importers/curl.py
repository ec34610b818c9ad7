"""A cURL command out of documentation → a draft. Secrets in it become variables; their values are kept nowhere."""

import re
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from connectors.importers.curl_options import CurlRequest, parameters, read_words
from connectors.importers.draft import NotReadable, without_empty
from connectors.importers.fields_pasted import field, is_client_id, is_client_secret, is_secret, looks_random, segment
from connectors.importers.names import service_of, slug
from connectors.importers.pasted_values import Values
from connectors.importers.placeholders import in_address
from connectors.importers.shell_words import commands
from connectors.importers.variables import Variables, literal
from connectors.oauth2.definition import JWT_BEARER

_MAX_CHARACTERS = 100_000
# The connection's own, or the platform's.
_DROPPED = frozenset(
    [
        "host",
        "content-length",
        "connection",
        "accept-encoding",
        "user-agent",
        "postman-token",
        "expect",
        "cache-control",
        "origin",
        "referer",
    ]
)
_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
_SCHEMES = frozenset(["bearer", "token", "apikey", "api-key", "key", "jwt", "ssws", "oauth"])
_TOKEN_PATH = re.compile(r"token|auth|login|session", re.IGNORECASE)
_CURL = re.compile(r"(?:^|[/\\])curl(?:\.exe)?$", re.IGNORECASE)


def is_curl(text: str) -> bool:
    """Whether a text begins with the command, a prompt before it apart."""
    return re.match(r"\s*(?:[$>#]\s+)?(?:\S*[/\\])?curl(?:\.exe)?[\s^\\]", text) is not None


def read_curl(text: str, remarks: list[str]) -> dict[str, Any]:
    """The document of a connector whose method sends what the command does. Raises `NotReadable`."""
    request, api = _chosen(text, remarks)
    remarks += request.remarks
    variables = Variables()
    token_request = _TokenRequest(request, variables, remarks).read()
    tested = _api(api, variables, remarks) if api is not None else {}
    name = service_of(re.sub(r"\{\{[^}]*\}\}", "", token_request["url"])) or "New connector"
    if not tested:
        remarks.append("base_url and test_request are left out: the command does not say where the API lives.")
    return {
        **without_empty(
            {"kind": "connector", "key": slug(name, "new-connector"), "name": name, "base_url": tested.get("base", "")}
        ),
        "auth_methods": [
            {
                "key": "client-credentials",
                "name": "Client credentials",
                **without_empty({"variables": variables.documents()}),
                "token_request": token_request,
                **without_empty({"test_request": tested.get("test", {})}),
            }
        ],
    }


def _chosen(text: str, remarks: list[str]) -> tuple[CurlRequest, CurlRequest | None]:
    """The command that asks for a token, and perhaps one that uses it."""
    if len(text) > _MAX_CHARACTERS:
        raise NotReadable(f"The command is longer than {_MAX_CHARACTERS:,} characters.")
    found = [words[1:] if words[0] in ("$", ">", "#") else words for words in commands(text)]
    named = [words for words in found if words and _CURL.search(words[0])]
    if not named:
        raise NotReadable("This is no cURL command. Paste it from the word curl to its end.")
    if len(named) < len([words for words in found if words]):
        remarks.append("What stands beside the cURL command, such as a pipe, was not read.")
    requests = [read_words(words) for words in named]
    uses = [request for request in requests if _uses_token(request)]
    asks = [request for request in requests if request not in uses]
    if not asks:
        raise NotReadable(
            "The command sends a token to the API; it doesn't ask for one. Paste the command that gets the token."
        )
    if len(asks) > 1 or len(uses) > 1:
        remarks.append("Further cURL commands were not read; the first that asks for a token was.")
    return asks[0], uses[0] if uses else None


def _uses_token(request: CurlRequest) -> bool:
    """Whether a command signs an API request with a token. Some ask for one that way too, by an API key."""
    is_bearer = request.header("authorization").lower().startswith("bearer ")
    names = [name for name, _ in request.encoded] + re.split(r"\W", request.text)
    asks = request.has_body and _TOKEN_PATH.search(urlsplit(request.url).path)
    return is_bearer and "grant_type" not in names and not asks


def _api(request: CurlRequest, variables: Variables, remarks: list[str]) -> dict[str, Any]:
    """Where the API lives, and a request that tries a token."""
    if request.has_body or request.method.upper() not in ("", "GET"):
        return {}
    parts = urlsplit(request.url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(f"{quote(name)}={_in_query(name, value, variables)}" for name, value in pairs)
    address = _address(request.url, variables, remarks) + (f"?{query}" if query else "")
    origin = f"{parts.scheme}://{parts.netloc}"
    if not address.startswith(origin) or "{{" in parts.netloc:
        return {"test": {"url": address}}
    return {"base": origin, "test": {"url": "{{base_url}}" + address.removeprefix(origin)}}


def _in_query(name: str, value: str, variables: Variables) -> str:
    template = field(name, value, variables)
    return quote(value) if template == literal(value) else template


def _address(url: str, variables: Variables, remarks: list[str]) -> str:
    """An address without its query as a template; what in its path looks made by a machine becomes a variable."""
    parts = urlsplit(url)
    pieces = in_address(urlunsplit(parts._replace(query="", fragment="")), variables).split("/")
    for at in range(3, len(pieces)):
        if looks_random(pieces[at]):
            pieces[at] = segment(pieces[at], pieces[at - 1], variables)
            remarks.append("A part of the address looked like an ID or a secret, and is a variable now.")
    return "/".join(pieces)


def _listed(names: list[str]) -> str:
    return ", ".join(name[:60] for name in names[:20])


class _TokenRequest:
    """Turns one command into a `token_request`, and collects the variables on the way."""

    def __init__(self, request: CurlRequest, variables: Variables, remarks: list[str]) -> None:
        self._request = request
        self._variables = variables
        self._remarks = remarks
        self._authentication = "none"
        self._headers: dict[str, str] = {}
        self._values = Values(variables, remarks)

    def read(self) -> dict[str, Any]:
        self._read_user()
        self._read_headers()
        url, query = self._address()
        body_format, body = self._body()
        is_get = body_format == "none" and (self._request.is_query or self._request.method.upper() in ("", "GET"))
        method = self._request.method.upper()
        if method not in ("", "POST", "GET"):
            self._remarks.append(f"The method {method[:20]} can't be used for a token request; the draft has POST.")
        where = body if isinstance(body, dict) else query if body_format == "none" else None
        assertion = self._assertion(where) if isinstance(where, dict) else {}
        if isinstance(where, dict):
            self._take_credentials(where)
        if self._values.kept:
            self._remarks.append(
                f"Kept as the command has them, so look for what belongs to a tenant: {_listed(self._values.kept)}."
            )
        stated_type = self._headers.pop("Content-Type", "")
        if (
            stated_type
            and stated_type.split(";")[0].strip().lower() != _TYPES.get(body_format)
            and body_format != "none"
        ):
            self._headers["Content-Type"] = stated_type
        return {
            **({"method": "GET"} if is_get else {}),
            "url": url,
            "client_authentication": self._authentication,
            **without_empty({"query": query, "headers": self._headers}),
            **({"body_format": body_format} if body_format != "form" else {}),
            **({"body": body} if body_format != "none" and not self._is_supplied(body, body_format) else {}),
            **without_empty({"assertion": assertion}),
        }

    def _is_supplied(self, body: Any, body_format: str) -> bool:
        supplied = {"grant_type": "{{grant_type}}", "scope": "{{scope}}"}
        return body_format in ("form", "json") and body == supplied

    def _read_user(self) -> None:
        if self._request.user is None:
            return
        self._authentication = "client_secret_basic"
        _, colon, secret = self._request.user.partition(":")
        if colon and not secret:
            self._remarks.append("The command sends an empty password; the draft lets the client secret be empty.")
            self._variables.state("client_secret", required=False)
        self._remarks.append(
            "curl sends ID and secret as they stand. If they hold other characters than letters, digits and - . _ ~, "
            "and the server refuses them, write basic_encoding: raw."
        )

    def _read_headers(self) -> None:
        for name, value in self._request.headers:
            lowered = name.lower()
            if lowered in _DROPPED:
                continue
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                self._remarks.append("A header's name could not be read.")
            elif lowered == "content-type":
                self._headers["Content-Type"] = literal(value)
            elif lowered == "authorization":
                self._authorization(value)
            elif lowered == "cookie":
                self._headers[name] = self._variables.placeholder("cookie", secret=True)
            elif is_client_id(name) or is_client_secret(name) or is_secret(name):
                self._headers[name] = field(name, value, self._variables)
            else:
                self._headers[name] = self._open_header(name, value)
        if self._request.is_json:
            self._headers.setdefault("Content-Type", _TYPES["json"])

    def _open_header(self, name: str, value: str) -> str:
        return literal(value) if name.lower() == "accept" else field(name, value, self._variables)

    def _authorization(self, value: str) -> None:
        scheme, _, rest = value.partition(" ")
        if scheme.lower() == "basic":
            self._authentication = "client_secret_basic"
        elif rest and scheme.lower() in _SCHEMES:
            template = self._variables.placeholder(f"{scheme.lower()}_token", secret=True)
            self._headers["Authorization"] = f"{scheme} {template}"
        else:
            self._headers["Authorization"] = self._variables.placeholder("authorization", secret=True)

    def _address(self) -> tuple[str, dict[str, Any]]:
        parts = urlsplit(self._request.url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if self._request.is_query:
            pairs += self._pairs() or []
        url = _address(self._request.url, self._variables, self._remarks)
        return url, self._values.parameters(pairs)

    def _pairs(self) -> list[tuple[str, str]] | None:
        """The parameters, if all of the data are parameters."""
        pairs = parameters(self._request.text) if self._request.data else []
        return None if pairs is None else [*pairs, *self._request.encoded]

    def _body(self) -> tuple[str, Any]:
        if not self._request.has_body:
            return "none", None
        text = self._request.text.strip()
        if self._request.is_json or (text.startswith(("{", "[")) and not text.startswith("{{")):
            data = self._values.json(text)
            if data is not None:
                return "json", data
        pairs = self._pairs()
        if pairs is not None:
            return "form", self._values.parameters(pairs)
        self._remarks.append(
            "The body was read as a text; look through it for values that belong to a tenant."
            if text.startswith("<")
            else "The body is no form, JSON or XML; its text is not kept, and the draft asks for it whole."
        )
        return "text", self._values.text(text)

    def _assertion(self, where: dict[str, Any]) -> dict[str, Any]:
        """A signed JWT that the command carries is made afresh, from a key."""
        is_grant = "assertion" in where and JWT_BEARER in self._stated_grant(where)
        is_client = "client_assertion" in where
        if not is_grant and not is_client:
            return {}
        for name in ("assertion", "client_assertion", "client_assertion_type"):
            where.pop(name, None)
            self._variables.forget(name)
        key = self._variables.placeholder("private_key", secret=True, format="multiline", help_text="In PEM, or a JWK.")
        key_id = self._variables.placeholder("key_id", label="Key ID", required=False)
        self._remarks.append("The command carries a signed JWT; check the algorithm, audience and claims it needs.")
        if is_client:
            self._authentication = "private_key_jwt"
        return {"key": key, "key_id": key_id, **({"as": "grant"} if is_grant else {})}

    def _stated_grant(self, where: dict[str, Any]) -> str:
        stated = next((one for one in self._variables.documents() if one["key"] == "grant_type"), {})
        return str(stated.get("default", ""))

    def _take_credentials(self, where: dict[str, Any]) -> None:
        """`client_id` and `client_secret` under their own names are what client_secret_post adds by itself."""
        if self._authentication == "client_secret_basic" or where.get("client_secret") != "{{client_secret}}":
            return
        if where.get("client_id") == "{{client_id}}":
            self._authentication = "client_secret_post"
            del where["client_id"], where["client_secret"]
