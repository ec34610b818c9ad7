from ipaddress import ip_address

import pytest

from connectors.addresses import AllowList, normal_host, permitted, refusal
from connectors.oauth2.errors import AddressRefused

NOBODY = AllowList()


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.1.1"),  # noqa: S104
        *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.170", "192.0.2.1", "192.88.99.1"),
        *("192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.2.3"),
        *("240.0.0.1", "255.255.255.255"),
        *("::", "::1", "100::1", "100:0:0:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
        *("3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "4000::1"),
        *("::ffff:8.8.8.8", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "::127.0.0.1", "::8.8.8.8"),
        *("64:ff9b::8.8.8.8", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1"),
        *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1"),
        *("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "fd20:ce::254"),
    ],
)
def test_refuses_what_is_not_public(address):
    assert refusal(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "52.1.2.3", "172.32.0.1", "198.20.0.1", "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_lets_public_addresses_through(address):
    assert refusal(ip_address(address)) == ""


@pytest.mark.parametrize(
    "host",
    [
        *("0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.01"),
        *("1.2.3.4.5", "256.1.1.1", "example.123", "example.0x1", "0x", "127.0.0.1..", "..", ".", "", "a..b"),
        *("fe80::1%eth0", "fe80::1%25eth0", "[::1%lo]", "::g", "1::2::3"),
        *(
            "exa mple.com",
            "exa%6dple.com",
            "example.com:80",
            "a/b",
            "a@b",
            "a\\b",
            "-a.com",
            "a-.com",
            "a" * 64 + ".com",
        ),
        *("a." * 127 + "com", "a\u200d\u200d.com", "x.\u0661\u0662\u0667"),
    ],
)
def test_refuses_spellings_that_are_no_plain_host(host):
    with pytest.raises(AddressRefused, match="host name or a plain IP address"):
        normal_host(host)


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        ("API.Example.COM", "api.example.com"),
        ("example.com.", "example.com"),
        ("my_service", "my_service"),
        ("127.0.0.1.", "127.0.0.1"),
        ("\uff11\uff12\uff17.0.0.1", "127.0.0.1"),
        ("127。0。0。1", "127.0.0.1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("2606:4700:0:0::1111", "2606:4700::1111"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("Faß.example", "xn--fa-hia.example"),
        ("①②⑦.example", "127.example"),
    ],
)
def test_knows_one_spelling_of_a_host(host, normal):
    assert normal_host(host) == normal


def test_connects_only_to_the_permitted_ones_of_several_addresses():
    both = [ip_address("10.0.0.1"), ip_address("1.1.1.1")]

    assert permitted("example.com", 443, both, NOBODY, encrypted=True) == [ip_address("1.1.1.1")]


def test_refuses_a_name_that_leads_to_private_addresses_alone_and_says_how_to_allow_it():
    with pytest.raises(AddressRefused) as refused:
        permitted("intra.example", 443, [ip_address("10.0.0.1")], NOBODY, encrypted=True)

    assert "intra.example" in str(refused.value)
    assert "a private or reserved address" in str(refused.value)
    assert "OUTBOUND_ALLOWED_HOSTS" in refused.value.remedy
    assert refused.value.permanent


def test_refuses_the_names_of_metadata_services_wherever_they_lead():
    with pytest.raises(AddressRefused, match="metadata"):
        permitted("metadata.google.internal", 443, [ip_address("1.1.1.1")], NOBODY, encrypted=True)


def test_plain_http_goes_only_where_the_operator_allowed_it():
    public = [ip_address("1.1.1.1")]

    with pytest.raises(AddressRefused, match="https"):
        permitted("example.com", 80, public, NOBODY, encrypted=False)
    assert permitted("example.com", 80, public, AllowList.parse(["example.com"]), encrypted=False) == public
    assert permitted("example.com", 80, public, AllowList.parse(["1.1.1.0/24"]), encrypted=False) == public


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "allowed"),
    [
        ("intra.example", "intra.example", 8443, "10.0.0.1", True),
        ("INTRA.example.", "intra.example", 443, "10.0.0.1", True),
        ("intra.example:8443", "intra.example", 8443, "10.0.0.1", True),
        ("intra.example:8443", "intra.example", 443, "10.0.0.1", False),
        ("intra.example", "other.intra.example", 443, "10.0.0.1", False),
        ("10.0.0.0/8", "any.example", 443, "10.9.9.9", True),
        ("10.0.0.0/8", "any.example", 443, "192.168.0.1", False),
        ("10.0.0.7", "any.example", 443, "10.0.0.7", True),
        ("10.0.0.7", "10.0.0.7", 443, "10.0.0.7", True),
        ("127.0.0.1:8000", "localhost", 8000, "127.0.0.1", True),
        ("127.0.0.1:8000", "localhost", 8001, "127.0.0.1", False),
        ("::1", "localhost", 443, "::1", True),
        ("[::1]:8000", "localhost", 8000, "::1", True),
        ("[::1]:8000", "localhost", 8001, "::1", False),
        ("fd00::/8", "any.example", 443, "fd00::7", True),
        ("10.0.0.0/8", "any.example", 443, "::ffff:10.0.0.1", False),
        # A wide network doesn't open a metadata service that happens to lie in it.
        ("100.64.0.0/10", "any.example", 443, "100.100.100.200", False),
        ("fd00::/8", "any.example", 443, "fd00:ec2::254", False),
        ("169.254.169.254", "any.example", 443, "169.254.169.254", True),
        ("169.254.169.254", "169.254.169.254", 80, "169.254.169.254", True),
    ],
)
def test_allow_list_entries(entry, host, port, address, allowed):
    rules = AllowList.parse([entry])

    try:
        found = permitted(host, port, [ip_address(address)], rules, encrypted=True)
    except AddressRefused:
        found = []

    assert bool(found) is allowed


@pytest.mark.parametrize(
    "entry", ["10.0.0.1/8", "http://x", "a b", "host:0", "host:70000", "0x7f.1", "", "*.example.com"]
)
def test_a_wrong_allow_list_entry_is_named(entry):
    with pytest.raises(ValueError, match=r"neither|port") as wrong:
        AllowList.parse([entry])

    assert repr(entry) in str(wrong.value)
