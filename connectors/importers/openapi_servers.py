"""The servers of an OpenAPI description → a base URL and the connector's variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors.importers.draft import clean, one_line
from connectors.importers.source_text import mapping, texts
from connectors.importers.variables import Variables, literal

_VARIABLE = re.compile(r"\{([^{}/]+)\}")
_STAND_IN = re.compile(
    r"(?i)(?:your|my|example|sample|some|demo|tenant|customer|company|subdomain|domain|account|instance|org)[\w.\-]*"
    r"|.*[<>\[\]].*|x{3,}"
)


@dataclass
class Servers:
    """`base_url` is a template; empty if none was found. `address` has it without our placeholders."""

    base_url: str = ""
    address: str = ""
    variables: Variables = field(default_factory=lambda: Variables(are_connectors=True))


def read_servers(root: Mapping[str, Any], location: str, remarks: list[str]) -> Servers:
    """Where the API lives. `location` is the address that the description came from, or empty."""
    servers = Servers()
    entries = _swagger_2(root) if "swagger" in root else _openapi_3(root)
    if not entries:
        if location and not _scheme_is_odd(location):
            remarks.append("No server is named; base_url is left out. The API may live where the description does.")
        else:
            remarks.append("No server is named; base_url is left out.")
        return servers
    absolute = [{**entry, "url": _absolute(entry["url"], location)} for entry in entries]
    usable = _usable(absolute, remarks)
    plain = [entry for entry in usable if not _VARIABLE.search(entry["url"])]
    if len(plain) > 1 and len(plain) == len(usable):
        _choose(servers, plain)
    elif usable:
        _take(servers, usable[0], remarks)
        for entry in usable[1:]:
            remarks.append(f"The further server {entry['url']} is not in the draft; base_url has the first one.")
    return servers


def _openapi_3(root: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = root.get("servers")
    found = [mapping(entry) for entry in listed] if isinstance(listed, list) else []
    return [entry for entry in found if isinstance(entry.get("url"), str) and clean(entry["url"])][:50]


def _swagger_2(root: Mapping[str, Any]) -> list[dict[str, Any]]:
    host, path = clean(root.get("host")), clean(root.get("basePath"))
    schemes = texts(root.get("schemes"))
    scheme = "https" if "https" in schemes or not schemes else schemes[0]
    if host:
        return [{"url": f"{scheme}://{host}/{path.strip('/')}".rstrip("/")}]
    return [{"url": path}] if path else []


def _absolute(url: str, location: str) -> str:
    """Server addresses are relative to where the description lies (OpenAPI 3.1 section 4.8.5)."""
    url = clean(url)
    try:
        return url if _VARIABLE.match(url) or not location else urljoin(location, url)
    except ValueError:
        return url


def _scheme_is_odd(url: str) -> bool:
    try:
        return urlsplit(url).scheme not in ("http", "https")
    except ValueError:
        return True


def _usable(entries: list[dict[str, Any]], remarks: list[str]) -> list[dict[str, Any]]:
    """Those that tokens may be sent to: https wherever there is one."""
    secure = [entry for entry in entries if not entry["url"].lower().startswith("http:")]
    if secure:
        if len(secure) < len(entries):
            remarks.append("Servers without TLS (http://) were left out.")
        return secure
    remarks.append(
        "The server's address begins with http://. It can be used only if the operator lists the host in "
        "OUTBOUND_ALLOWED_HOSTS; write https:// if the server has it."
    )
    return entries


def _choose(servers: Servers, entries: list[dict[str, Any]]) -> None:
    """Several servers without variables: a drop-down."""
    labels: dict[str, str] = {}
    for entry in entries:
        url = entry["url"].rstrip("/")
        labels.setdefault(url, one_line(entry.get("description"), 100))
    if len(labels) == 1 or not all(url.startswith("https://") for url in labels):
        servers.base_url = servers.address = next(iter(labels))
        return
    choices = [{"value": url, "label": f"{text} ({url})" if text else url} for url, text in labels.items()]
    first = choices[0]["value"]
    servers.base_url = servers.variables.placeholder("server", format="url", default=first, choices=choices)
    servers.address = first


def _take(servers: Servers, entry: dict[str, Any], remarks: list[str]) -> None:
    """One server, with its variables."""
    url, described = entry["url"].rstrip("/"), mapping(entry.get("variables"))
    if url.startswith("//"):
        url = f"https:{url}"
    if "://" not in url and not _VARIABLE.match(url):
        site = servers.variables.placeholder(
            "site", label="Address of the service", format="url", example="https://service.example.com"
        )
        servers.base_url = site + "/" + url.strip("/") if url.strip("/") else site
        remarks.append(
            f"The server's address {url or '/'} is relative, and it is not known to what: the draft asks for the "
            "variable site. Write the address into base_url instead if it is the same for everyone."
        )
        return
    servers.address = _VARIABLE.sub(lambda found: _default(described, found[1]), url)
    servers.base_url = _VARIABLE.sub(lambda found: _template(servers, described, found, remarks), url)


def _default(described: Mapping[str, Any], name: str) -> str:
    return clean(mapping(described.get(name)).get("default"))


def _template(servers: Servers, described: Mapping[str, Any], found: "re.Match[str]", remarks: list[str]) -> str:
    """One `{variable}` of a server's address."""
    name, url = found[1], found.string
    about = mapping(described.get(name))
    default = clean(about.get("default"))
    options = [clean(option) for option in texts(about.get("enum"))]
    before, behind = url[: found.start()], url[found.end() :]
    is_scheme, is_port = behind.startswith("://"), before.endswith(":")
    if is_scheme or is_port or (before and "/" in default):
        # Neither a scheme nor a port is filled in, and a value's "/" would be percent-encoded.
        fixed = "https" if is_scheme and "https" in (default, *options) else default
        fixed = fixed.lstrip("/") if before.endswith("/") else fixed
        remarks.append(f"The server's variable {name} can't be a variable here; {fixed or 'nothing'} stands for it.")
        return literal(fixed)
    stated: dict[str, Any] = {"help_text": one_line(about.get("description"), 300)}
    if options:
        stated |= {"choices": list(dict.fromkeys(options)), "default": default if default in options else ""}
    elif _is_example(default, stated["help_text"]) or (not before and not default.startswith("https://")):
        stated["example"] = default
    else:
        stated["default"] = literal(default)
    if not before:
        stated["format"] = "url"
    return servers.variables.placeholder(name, **stated)


def _is_example(default: str, description: str) -> bool:
    """Whether a default only shows what a value looks like, as in "the name of your tenant"."""
    return not default or _STAND_IN.fullmatch(default) is not None or re.search(r"\byours?\b", description) is not None
