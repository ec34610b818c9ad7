"""OpenAPI 2.0 (Swagger), 3.0, 3.1 and 3.2 → a draft."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from connectors.importers.draft import clean, one_line, without_empty
from connectors.importers.names import label, service_of, slug, unique, variable_key
from connectors.importers.openapi_keys import keys_beside
from connectors.importers.openapi_servers import Servers, read_servers
from connectors.importers.placeholders import in_address
from connectors.importers.scopes import scope_variable
from connectors.importers.source_text import mapping, resolved
from connectors.importers.variables import Variables

_EXAMPLE_HOST = re.compile(r"https?://(?:[^/]*[.-])?example(?:[.-]|/|$)", re.IGNORECASE)
UNKNOWN_AUTHENTICATION = (
    "OpenAPI does not say how the client shows its ID and secret; the draft sends them in the body "
    "(client_secret_post). If the documentation says Basic, write client_authentication: client_secret_basic."
)


def is_openapi(root: Mapping[str, Any]) -> bool:
    return isinstance(root.get("openapi"), str | int | float) or isinstance(root.get("swagger"), str | int | float)


def read_openapi(root: Mapping[str, Any], location: str, remarks: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The document, and the addresses of issuers' metadata that it points to instead of describing them."""
    info = mapping(root.get("info"))
    servers = read_servers(root, location, remarks)
    schemes = _schemes(root, remarks)
    issuers = [address for _, scheme in schemes for address in _issuers(scheme, location)]
    methods: list[dict[str, Any]] = []
    for name, scheme in schemes:
        for flow in _client_credentials(name, scheme, remarks):
            taken = {method["key"] for method in methods}
            methods.append(_method(root, name, scheme, flow, servers, taken, location, remarks))
    name = one_line(info.get("title"), 200) or service_of(servers.address) or "New connector"
    if len(methods) == 1:
        methods[0]["name"] = "Client credentials"
    if methods:
        remarks.append(UNKNOWN_AUTHENTICATION)
        remarks.append("test_request is left out: name a harmless request that shows whether a token works.")
    elif not issuers:
        remarks.append("No security scheme with a client-credentials flow was found, so the draft has no method.")
    document = without_empty(
        {
            "kind": "connector",
            "key": slug(name, "new-connector"),
            "name": name,
            "description": one_line(_first_sentence(info.get("description") or info.get("summary")), 300),
            "documentation_url": _documentation(root),
            "base_url": servers.base_url,
            "variables": servers.variables.documents(),
        }
    )
    return {**document, "auth_methods": methods}, issuers


def _first_sentence(text: object) -> str:
    """The first line of prose that isn't a heading, up to its first full stop."""
    for line in clean(text, 4000).splitlines():
        words = line.strip().strip("*_")
        if words and not words.startswith(("#", "|", "<", "!", "[", "`", "-", "=")):
            end = words.find(". ")
            return words if end < 0 else words[: end + 1]
    return ""


def _documentation(root: Mapping[str, Any]) -> str:
    url = clean(mapping(root.get("externalDocs")).get("url"))
    return url if url.startswith(("https://", "http://")) and not set(url) & set(" \\") else ""


def _schemes(root: Mapping[str, Any], remarks: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Every security scheme by name, references followed."""
    stated = root.get("securityDefinitions") if "swagger" in root else None
    stated = stated or resolved(root, root.get("components"), remarks).get("securitySchemes")
    if not stated and root.get("securitySchemes"):
        stated = root.get("securitySchemes")
    listed = resolved(root, stated, remarks) if stated else {}
    return [(str(name), resolved(root, scheme, remarks)) for name, scheme in list(listed.items())[:50]]


def _issuers(scheme: Mapping[str, Any], location: str) -> Iterator[str]:
    address = clean(scheme.get("openIdConnectUrl") if scheme.get("type") == "openIdConnect" else "")
    address = address or clean(scheme.get("oauth2MetadataUrl"))  # OpenAPI 3.2
    if address:
        yield _joined(location, address)


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address) if base else address
    except ValueError:
        return address


def _client_credentials(name: str, scheme: Mapping[str, Any], remarks: list[str]) -> Iterator[dict[str, Any]]:
    """The flows of a scheme that a client goes through alone; the others are listed."""
    kind = clean(scheme.get("type"))
    if kind == "oauth2" and "flow" in scheme:
        if scheme["flow"] == "application":
            yield dict(scheme)
        else:
            remarks.append(f"The scheme {name} has the flow {clean(scheme['flow'])}, which is for people signing in.")
    elif kind == "oauth2":
        flows = mapping(scheme.get("flows"))
        if "clientCredentials" in flows:
            yield mapping(flows["clientCredentials"])
        other = [flow for flow in flows if flow != "clientCredentials" and not str(flow).startswith("x-")]
        if other:
            remarks.append(f"Of the scheme {name}, not read: {', '.join(map(str, other))} (no client credentials).")
    elif kind == "http":
        remarks.append(f"The scheme {name} (http {clean(scheme.get('scheme'))}) was not read: it buys no token.")
    elif kind not in ("apiKey", "openIdConnect"):
        remarks.append(f"The scheme {name} was not read: its type {kind or 'is missing'} is unknown here.")


def _method(
    root: Mapping[str, Any],
    name: str,
    scheme: Mapping[str, Any],
    flow: Mapping[str, Any],
    servers: Servers,
    taken: set[str],
    location: str,
    remarks: list[str],
) -> dict[str, Any]:
    variables = Variables()
    scopes = {str(scope): clean(words) for scope, words in mapping(flow.get("scopes")).items()}
    stated = scope_variable(scopes, remarks)
    if stated:
        variables.state("scope", **stated)
    url = _token_url(name, clean(flow.get("tokenUrl")), servers, location, variables, remarks)
    headers, query = keys_beside(root, name, variables, remarks)
    api_request = {"headers": {"Authorization": "Bearer {{access_token}}", **headers}} if headers else {}
    connectors_own = {variable["key"] for variable in servers.variables.documents()}
    instructions = clean(scheme.get("description"), 4000)
    return {
        "key": unique(slug(name, "client-credentials"), taken, joint="-"),
        "name": one_line(scheme.get("x-displayName"), 200) or label(variable_key(name)),
        **({"instructions": instructions} if instructions else {}),
        **without_empty({"variables": [one for one in variables.documents() if one["key"] not in connectors_own]}),
        "token_request": {"url": url} if url else {},
        **without_empty({"api_request": without_empty({**api_request, "query": query})}),
    }


def _token_url(
    name: str, written: str, servers: Servers, location: str, variables: Variables, remarks: list[str]
) -> str:
    """The token endpoint; a relative one is relative to the first server (OpenAPI 3.0.4 section 4.5)."""
    if not written:
        remarks.append(f"The scheme {name} names no tokenUrl: fill in token_request.url.")
        return ""
    if written.startswith(("https://", "http://", "{")):
        if _EXAMPLE_HOST.match(written):
            remarks.append(
                f"The host of the tokenUrl {written} looks like an example: write the real one, or a variable."
            )
        return in_address(written, variables)
    if servers.address.startswith(("https://", "http://")) and "{{" not in servers.base_url:
        joined = _joined(servers.address, written)
    elif "{{" in servers.base_url and written.startswith("/") and "://" in servers.base_url:
        origin = "/".join(servers.base_url.split("/")[:3])
        remarks.append(f"tokenUrl is relative ({written}); it was read against the server's host.")
        return origin + in_address(written, variables)
    elif servers.base_url:
        remarks.append(f"tokenUrl is relative ({written}); the draft puts it behind base_url, which may be too deep.")
        return "{{base_url}}/" + in_address(written.lstrip("/"), variables)
    elif location:
        joined = _joined(location, written)
    else:
        remarks.append(f"tokenUrl is relative ({written}), and it is not known to what: fill in token_request.url.")
        return ""
    remarks.append(f"tokenUrl is relative ({written}); it was read as {joined}.")
    return in_address(joined, variables)
