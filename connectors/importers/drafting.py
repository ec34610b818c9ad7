"""Whatever the API's authors wrote, named or pasted → a draft."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

from connectors.importers.curl import is_curl, read_curl
from connectors.importers.draft import Draft, NotReadable, finished
from connectors.importers.fetching import Fetch, Fetched, fetcher, shown
from connectors.importers.issuer import is_metadata, metadata_addresses, read_metadata, read_method
from connectors.importers.names import unique
from connectors.importers.openapi import is_openapi, read_openapi
from connectors.importers.source_text import MAX_BYTES, read

Kind = Literal["openapi", "issuer", "curl"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MAX_ISSUERS = 3
_NOTHING_KNOWN = (
    "This is neither an OpenAPI description, nor an authorization server's metadata, nor a cURL command. Look for the "
    "address of openapi.json or openapi.yaml, or paste a command from the documentation."
)


def draft_of_text(
    content: bytes, *, kind: Kind | None = None, location: str = "", fetch: Fetch | None = None, source: str = ""
) -> Draft:
    """A draft from a pasted or uploaded text, or from what lay at `location`. Raises `NotReadable`.

    `fetch` asks issuers that an OpenAPI description points to; without it they are only named.
    """
    text = content.decode("utf-8-sig", "replace")
    remarks: list[str] = []
    if kind == "curl" or (kind is None and is_curl(text[:1000])):
        return finished("a cURL command", read_curl(text, remarks), remarks)
    root, remarks = read(content)
    if is_openapi(root) if kind is None else kind == "openapi":
        document, issuers = read_openapi(root, location, remarks)
        for issuer in issuers[:_MAX_ISSUERS]:
            _add_issuer(document, issuer, fetch, remarks)
        return finished(source or _described(location, "an OpenAPI description"), document, remarks)
    if is_metadata(root) if kind is None else kind == "issuer":
        document = read_metadata(root, location, remarks)
        return finished(source or _described(location, "an authorization server's metadata"), document, remarks)
    raise NotReadable(_NOTHING_KNOWN)


def draft_of_address(address: str, *, kind: Kind | None = None, fetch: Fetch | None = None) -> Draft:
    """A draft from what lies at an address: a description, metadata, or an issuer. Raises `NotReadable`."""
    fetch = fetch or fetcher()
    if kind == "curl":
        raise NotReadable("A cURL command is pasted, not fetched from an address.")
    tried: list[str] = []
    if kind != "issuer":
        found = fetch(address)
        try:
            return _read(found, kind, fetch)
        except NotReadable as error:
            if kind == "openapi":
                raise
            tried.append(str(error))
    return _draft_of_issuer(address, fetch, tried)


def draft_of_source(source: str, *, kind: Kind | None = None, stdin: Callable[[int], bytes], fetch: Fetch) -> Draft:
    """A draft from what a person typed: an address, a command, a file's name, or - for standard input.

    Raises `NotReadable`, OSError if the file can't be read.
    """
    if source == "-":
        return draft_of_text(stdin(MAX_BYTES + 1), kind=kind, fetch=fetch)
    if (kind == "curl" and not Path(source[:1000]).is_file()) or (kind is None and is_curl(source)):
        return draft_of_text(source.encode(), kind="curl")
    if source.lower().startswith(("https://", "http://")):
        return draft_of_address(source, kind=kind, fetch=fetch)
    with Path(source).open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    return draft_of_text(content, kind=kind, fetch=fetch, source=Path(source).name)


def _read(found: Fetched, kind: Kind | None, fetch: Fetch) -> Draft:
    if not found.is_there:
        raise NotReadable(f"{shown(found.address)} answered with status {found.status}.")
    return draft_of_text(found.content, kind=kind, location=found.address, fetch=fetch)


def _draft_of_issuer(address: str, fetch: Fetch, tried: list[str]) -> Draft:
    root, remarks, location = _metadata(address, fetch, tried)
    document = read_metadata(root, location, remarks)
    return finished(shown(location), document, remarks)


def _metadata(address: str, fetch: Fetch, tried: list[str]) -> tuple[dict[str, Any], list[str], str]:
    """An issuer's metadata, remarks, and where it was found; raises `NotReadable` with what all was tried."""
    for candidate in metadata_addresses(address):
        try:
            found = fetch(candidate)
            if found.is_there:
                root, remarks = read(found.content)
                if is_metadata(root):
                    return root, remarks, candidate
            tried.append(f"{shown(candidate)}: {'no metadata' if found.is_there else f'status {found.status}'}.")
        except NotReadable as error:
            tried.append(f"{shown(candidate)}: {error}")
    raise NotReadable(f"Nothing that a draft can be made of was found. {' '.join(dict.fromkeys(tried))}")


def _add_issuer(document: dict[str, Any], address: str, fetch: Fetch | None, remarks: list[str]) -> None:
    """A method from the issuer that an OpenAPI description points to."""
    if fetch is None or not address.startswith(("https://", "http://")):
        remarks.append(f"The description points to the issuer {shown(address)}, which was not asked: draft from that.")
        return
    try:
        root, found, _ = _metadata(address, fetch, [])
    except NotReadable as error:
        remarks.append(f"The description points to the issuer {shown(address)}, which could not be read: {error}")
        return
    remarks += found
    key = unique("client-credentials", {method["key"] for method in document["auth_methods"]}, joint="-")
    document["auth_methods"].append(read_method(root, remarks, key=key))


def _described(location: str, otherwise: str) -> str:
    return shown(location) if location else otherwise
