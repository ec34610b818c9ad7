"""Where requests may go: decided from names and addresses alone, without a socket.

Sources: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890), what counts as a number in a host (WHATWG
URL Standard, "ends in a number checker"), and the addresses that clouds publish for their metadata services.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import idna

from connectors.oauth2.errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Special-purpose blocks that `is_global` of Python 3.11 and later patch releases tell apart differently, or not at all.
_SPECIAL = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relay anycast (RFC 7526)
        "2001::/23",  # IETF protocol assignments, Teredo among them (RFC 2928, 4380)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4, which embeds an IPv4 address (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
# All that IANA has given out as global unicast. Outside of it lie the loopback, mapped, compatible, translated
# (64:ff9b::/96, 64:ff9b:1::/48), unique local, link-local, site-local, discard and multicast addresses.
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# Some lie in blocks that an operator may well allow (fc00::/7, 100.64.0.0/10), one is public: hence named.
_METADATA_ADDRESSES = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google Cloud, DigitalOcean, Oracle …
        "169.254.170.2",  # AWS ECS task credentials
        "169.254.170.23",  # AWS EKS pod identity
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS EKS pod identity
        "fd20:ce::254",  # Google Cloud
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure's WireServer
        "192.0.0.192",  # Oracle Cloud, older
    )
)
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_WITH_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class AllowList:
    """What the operator lets requests reach although it isn't public. A port of None means every port."""

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[Network, int | None], ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "AllowList":
        """Read `host`, `host:port`, an address (IPv6 with port: in brackets) or CIDR; ValueError names the entry."""
        names: set[tuple[str, int | None]] = set()
        networks: list[tuple[Network, int | None]] = []
        for entry in entries:
            host, port = _split_port(entry.strip())
            network = _network(host)
            if network is not None:
                networks.append((network, port))
            else:
                names.add((_name(host, entry), port))
        return cls(frozenset(names), tuple(networks))

    def names_host(self, host: str, port: int) -> bool:
        return (host, None) in self.names or (host, port) in self.names

    def holds(self, address: Address, port: int) -> bool:
        """Whether an address or CIDR entry covers `address`. A metadata service must be named by its very address."""
        exact = address in _METADATA_ADDRESSES
        return any(
            address in network and only in (None, port) and not (exact and network.num_addresses > 1)
            for network, only in self.networks
        )


@lru_cache(maxsize=8)
def allow_list(entries: tuple[str, ...]) -> AllowList:
    """`AllowList.parse`, remembered: settings don't change while a process lives."""
    return AllowList.parse(entries)


def normal_host(host: str) -> str:
    """The one spelling of a host that is looked up, checked and sent: lower-case ASCII, or a plain address.

    Raises AddressRefused for what other programs may read as some other host: numbers that aren't a plain dotted
    quad (`0x7f.1`, `2130706433`), zone ids, and whatever isn't a host at all.
    """
    ascii_host = _to_ascii(host.strip("[]") if host.startswith("[") else host)
    if ascii_host is None:
        raise _not_a_host(host)
    if ":" in ascii_host or _ends_in_number(ascii_host):
        address = _address(ascii_host)
        if address is None:
            raise _not_a_host(host)
        return str(address)
    if len(ascii_host) > 253 or not all(_LABEL.fullmatch(label) for label in ascii_host.split(".")):
        raise _not_a_host(host)
    return ascii_host


def refusal(address: Address) -> str:
    """Why requests don't go to `address` of themselves, as the end of a sentence; empty if it is public."""
    if address in _METADATA_ADDRESSES:
        return "a cloud metadata service"
    if isinstance(address, IPv6Address) and (embedded := _embedded(address)) is not None:
        return f"an IPv6 address that stands for the IPv4 address {embedded}"
    if address.is_loopback:
        return "this machine itself"
    if address.is_multicast:
        return "a multicast address"
    if address.is_link_local:
        return "a link-local address"
    special = any(address in block for block in _SPECIAL)
    if special or not address.is_global or (address.version == 6 and address not in _GLOBAL_UNICAST):
        return "a private or reserved address"
    return ""


def permitted(
    host: str, port: int, addresses: Sequence[Address], allowed: AllowList, *, encrypted: bool
) -> list[Address]:
    """Those of `addresses`, to which `host` (normal) resolved, that may be connected to; AddressRefused if none may.

    A name on the list is trusted wherever it leads. `encrypted` is False for http, which only goes where the list says.
    """
    if allowed.names_host(host, port):
        return list(addresses)
    listed = [address for address in addresses if allowed.holds(address, port)]
    if not encrypted:
        if listed:
            return listed
        raise _open_address(host)
    if host in _METADATA_NAMES:
        raise _refused(host, "a cloud metadata service")
    fine = [address for address in addresses if address in listed or not refusal(address)]
    if not fine:
        raise _refused(host, refusal(addresses[0]) if addresses else "nowhere")
    return fine


def refuse_open(host: str, port: int, allowed: AllowList) -> None:
    """Raise AddressRefused for http to `host` (normal) where no look-up of its name can change that."""
    if not allowed.names_host(host, port) and not allowed.networks:
        raise _open_address(host)


def _open_address(host: str) -> AddressRefused:
    return AddressRefused(
        f"No request was sent to {host}.",
        "The address begins with http://, and secrets travel by https only.",
        f"Use https, or have the operator add {host} to OUTBOUND_ALLOWED_HOSTS if its network is trusted.",
    )


def _refused(host: str, reason: str) -> AddressRefused:
    return AddressRefused(
        f"No request was sent to {host}.",
        f"The name leads to {reason}, where requests may not go.",
        f"Check the address. If it is right, have the operator add {host} to OUTBOUND_ALLOWED_HOSTS.",
    )


def _not_a_host(host: str) -> AddressRefused:
    return AddressRefused(
        "No request was sent.",
        f"The address holds {host[:100]!r} where a host name or a plain IP address belongs.",
        "Correct the host in the address, for example login.example.com.",
    )


def _to_ascii(host: str) -> str | None:
    if host.isascii():
        lowered = host.lower()
    else:
        try:
            # UTS 46 maps full-width digits and ideographic full stops to ASCII *before* anything is judged.
            lowered = idna.encode(host, uts46=True, transitional=False).decode("ascii").lower()
        except UnicodeError:
            return None
    return lowered.removesuffix(".") or None


def is_address(host: str) -> bool:
    """Whether a normal host is an address, and no name."""
    return _address(host) is not None


def _ends_in_number(host: str) -> bool:
    return _NUMBER.fullmatch(host.rsplit(".", 1)[-1]) is not None


def _address(text: str) -> Address | None:
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address within a mapped, compatible, NAT64, 6to4 or Teredo address (RFC 4291, 6052, 3056, 4380)."""
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    compatible = address in IPv6Network("::/96") and int(address) > 1
    if compatible or address in IPv6Network("64:ff9b::/96") or address in IPv6Network("64:ff9b:1::/48"):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _split_port(entry: str) -> tuple[str, int | None]:
    match = _WITH_PORT.fullmatch(entry)
    if match is None:
        return entry.strip("[]") if entry.startswith("[") else entry, None
    port = int(match["port"])
    if not 0 < port < 65536:
        raise ValueError(f"{entry!r}: a port is a number from 1 to 65535")
    return match["host"].strip("[]"), port


def _network(text: str) -> Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


def _name(host: str, entry: str) -> str:
    problem = f"{entry!r} is neither a host, nor host:port, nor an address, nor a network such as 10.0.0.0/8"
    if "/" in host:
        raise ValueError(f"{problem} (in a network, the bits after the prefix are 0)")
    try:
        return normal_host(host)
    except AddressRefused:
        pass
    raise ValueError(problem)
