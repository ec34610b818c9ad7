"""Reading settings from the environment, and saying plainly what is wrong with them.

Every setting `NAME` may instead be given as `NAME_FILE`, the path of a file that holds the value: that is how
container platforms hand out secrets. All faults are gathered, so that one start names all of them.
"""

import os
import re
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?", re.IGNORECASE)

Value = TypeVar("Value")


class Fault(ValueError):
    """What is wrong with one value, and what to write instead. Never quotes a value that may be a secret."""


class Environment:
    """Typed settings out of a mapping of strings; faults are kept until `refuse_faults()`."""

    def __init__(self, given: Mapping[str, str], *, otherwise: Mapping[str, str] | None = None) -> None:
        """`otherwise` is asked for names that `given` doesn't hold."""
        self._given = given
        self._otherwise = otherwise or {}
        self.faults: list[str] = []

    def has(self, name: str) -> bool:
        return bool(self.text(name))

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding white space; empty counts as not given."""
        value = self._given.get(name, "").strip()
        path = self._given.get(f"{name}_FILE", "").strip()
        if value and path:
            self._blame(name, f"is set, and {name}_FILE too. Keep one of them.")
        if path and not value:
            value = self._read(name, Path(path))
        return value or self._otherwise.get(name, "").strip() or default

    def parsed(self, name: str, parse: Callable[[str], Value], default: Value) -> Value:
        text = self.text(name)
        if not text:
            return default
        try:
            return parse(text)
        except Fault as fault:
            self._blame(name, str(fault))
        return default

    def refuse_faults(self) -> None:
        if self.faults:
            raise ImproperlyConfigured("\n".join(self.faults))

    def _read(self, name: str, path: Path) -> str:
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self._blame(f"{name}_FILE", f"can't be read: {path}: {reason}. Name a readable file that holds the value.")
            return ""
        if not value:
            self._blame(f"{name}_FILE", f"names an empty file: {path}. Put the value of {name} into it.")
        return value

    def _blame(self, name: str, fault: str) -> None:
        sentence = f"{name} {fault}"
        if sentence not in self.faults:
            self.faults.append(sentence)


def flag(text: str) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise Fault(f"is {text!r}, which is neither yes nor no. Write 1 or 0.")


def seconds(lowest: float, highest: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        # float() also reads "nan", "inf" and "1_0", which nobody means.
        number = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) else None
        if number is None:
            raise Fault(f"is {text!r}, which is no number of seconds. Write one, such as {max(lowest, 15):g}.")
        if not lowest <= number <= highest:
            raise Fault(f"is {text!r}. Write a number of seconds from {lowest:g} to {highest:g}.")
        return number

    return parse


def days(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not lowest <= int(text) <= highest:
            raise Fault(f"is {text!r}. Write a whole number of days from {lowest} to {highest}.")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise Fault(f"is {text!r}. Write {' or '.join(choices)}.")
        return text.lower()

    return parse


def shared_token(text: str) -> str:
    """What another program shows to be let in: what fits into a header, and isn't guessed."""
    if not re.fullmatch(r"[\x21-\x7e]{20,}", text):
        raise Fault(
            "is too short or holds white space. Use at least 20 random characters: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return text


def words(text: str) -> list[str]:
    """A comma-separated list; empty parts are dropped."""
    return [word.strip() for word in text.split(",") if word.strip()]


def signing_key(text: str) -> str:
    if len(text) < 32 or len(set(text)) < 5:
        raise Fault(
            "is too easy to guess. Use at least 32 random characters: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return text


def encryption_keys(text: str) -> list[str]:
    keys = words(text)
    if any(len(key) < 32 or len(set(key)) < 5 for key in keys):
        raise Fault(
            "holds a key that is too easy to guess. Use at least 32 random characters for each, separated by commas: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    if len(set(keys)) != len(keys):
        raise Fault("holds the same key twice. Name each key once; the first encrypts, all decrypt.")
    return keys


def public_url(text: str) -> str:
    """An http(s) address without path, user, query or fragment; returned without its trailing slash."""
    remedy = "Write the address that browsers use, such as https://latchkey.example.com."
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it raises for a port that is no number
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Fault(f"is {text!r}, which is no http or https address. {remedy}")
    if parts.username or parts.query or parts.fragment or parts.path.strip("/"):
        raise Fault(f"holds more than scheme, host and port. {remedy}")
    return f"{parts.scheme}://{parts.netloc}"


def host_names(text: str) -> list[str]:
    """Django's ALLOWED_HOSTS: names, `.example.com` for a domain with all below it, addresses, or `*`."""
    names = words(text)
    if not names:  # Django would answer under no name at all
        raise Fault("names no host. Write names separated by commas, or leave it out.")
    for name in names:
        if name != "*" and not _is_address(name.strip("[]")) and not _HOST_NAME.fullmatch(name.removeprefix(".")):
            raise Fault(f"holds {name!r}, which is no host name. Write names without scheme, port or path.")
    return names


def outbound_hosts(text: str) -> list[str]:
    """`host`, `host:port`, address or CIDR; an IPv6 address may stand in brackets, and with a port it must."""
    entries = [_bare(entry) for entry in words(text)]
    for entry in entries:
        if not _is_outbound_host(entry):
            raise Fault(
                f"holds {entry!r}, {_no_outbound_host(entry)}. Write host names, host:port, IP addresses or networks, "
                "separated by commas, such as auth.internal:8443,10.20.0.0/16."
            )
    return entries


def folder(base: Path) -> Callable[[str], Path]:
    """A folder, which need not be there yet; a relative one lies below `base`."""

    def parse(text: str) -> Path:
        path = base / text
        for part in (path, *path.parents):
            if os.path.exists(part) and not os.path.isdir(part):  # unlike pathlib's they raise nothing
                raise Fault(f"names {text!r}, but {str(part)!r} is a file. Name a folder, or where one can be made.")
        return path

    return parse


def mail_sender(text: str) -> str:
    """`name <address>`, or an address alone."""
    if not _is_mail_address(parseaddr(text)[1]) or not text.isprintable():
        raise Fault(f"is {text!r}. Write an address, or a name with one: Example Connections <connect@example.com>.")
    return text


def mail_addresses(text: str) -> list[str]:
    for address in (addresses := words(text)):
        if not _is_mail_address(address):
            raise Fault(f"holds {address!r}, which is no e-mail address. Separate several by commas.")
    return addresses


def _is_mail_address(text: str) -> bool:
    return re.fullmatch(r"[^\s@<>,;]+@[A-Za-z0-9.-]+", text) is not None


def pem_file(text: str) -> str:
    path = Path(text)
    try:
        holds_certificate = "-----BEGIN CERTIFICATE-----" in path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Fault(f"names {text!r}, which can't be read: {error.strerror}. Name a readable PEM file.") from error
    if not holds_certificate:
        raise Fault(f"names {text!r}, which holds no certificate in PEM form. Name a file of certificates to trust.")
    return str(path.resolve())


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_outbound_host(entry: str) -> bool:
    if "/" in entry:
        try:
            ip_network(entry)
        except ValueError:
            return False
        return True
    if _is_address(entry):
        return True
    host, colon, port = entry.rpartition(":")
    if not colon:
        host, port = entry, "1"
    named = _is_address(host[1:-1]) if host.startswith("[") and host.endswith("]") else _is_name(host)
    return named and port.isascii() and port.isdigit() and 0 < int(port) < 65536


def _bare(entry: str) -> str:
    """An address without the brackets that it stands in."""
    inner = entry[1:-1] if entry.startswith("[") and entry.endswith("]") else ""
    return inner if _is_address(inner) else entry


def _no_outbound_host(entry: str) -> str:
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        return "which is none of these"
    return f"whose network is {network}"


def _is_name(host: str) -> bool:
    return _is_address(host) if host.replace(".", "").isdigit() else bool(_HOST_NAME.fullmatch(host))
