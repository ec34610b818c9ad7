import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oauth2.hosts import BadAddress, checked_base, checked_host, checked_labels


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("acme", "acme"),
        ("ACME-1", "acme-1"),
        ("a.b.example.com", "a.b.example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_takes_host_names(text, host):
    assert checked_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "-a",
        "a-",
        "a_b",
        "a b",
        "a/b",
        "a@b",
        "a?b",
        "a#b",
        "a:80",
        "a\\b",
        "a\n",
        "a\x00",
        "a%2eb",
        "bücher.example",
        "\uff41.example",
        "a。b",
        "[::1]",
        "a" * 64,
        "a." * 127 + "com",
    ],
)
def test_refuses_what_is_no_label(text):
    with pytest.raises(BadAddress):
        checked_labels(text)


@pytest.mark.parametrize("text", ["1", "256.0.0.1", "1.2.3", "0177.0.0.1", "0x7f.1", "2130706433", "a.0x1", "a.1"])
def test_refuses_odd_spellings_of_addresses(text):
    with pytest.raises(BadAddress):
        checked_host(text)


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://API.Example.com/V2/", "https://api.example.com/V2"),
        ("HTTPS://a.example", "https://a.example"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example:0443", "https://a.example:443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://a.example/a%2Fb;c=d/ä", "https://a.example/a%2Fb;c=d/%C3%A4"),
        ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
    ],
)
def test_takes_base_addresses_as_they_stand(text, base):
    assert checked_base(text) == base


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must be an address"),
        ("api.example.com", "must be an address"),
        ("//api.example.com", "must be an address"),
        ("https:api.example.com", "must be an address"),
        ("https://", "must be an address"),
        ("https:///x", "must be an address"),
        ("ftp://a.example", "must be an address"),
        ("javascript:alert(1)", "must be an address"),
        ("https://[::1", "letters, digits"),
        ("https://[::1]evil.example", "letters, digits"),
        ("https://[fe80::1%25eth0]", "letters, digits"),
        ("https://[1.2.3.4]", "letters, digits|must be an address"),
        ("https://[]", "letters, digits|must be an address"),
        ("https://me@a.example", "user name"),
        ("https://me:pw@a.example", "user name"),
        ("https://a.example\\@b.example", "backslash"),
        ("https://a.example/?x=1", "query"),
        ("https://a.example?", "query"),
        ("https://a.example/#x", "fragment"),
        ("https://a.example:", "port"),
        ("https://a.example:0", "port"),
        ("https://a.example:65536", "port"),
        ("https://a.example:99999999999999999999", "port"),
        ("https://a.example:x", "port"),
        ("https://a.example:+80", "port"),
        ("https://a.example:٨٠", "port"),
        ("https://a.example/../x", "“..”"),
        ("https://a.example/x/%2E%2e/y", "“..”"),
        ("https://a.example/.", "“..”"),
        ("https://a.example/a b", "space"),
        ("https://a.example/\n", "space"),
        (" https://a.example", "space"),
        ("https://ex%61mple.com", "letters, digits"),
        ("https://a..example", "letters, digits"),
    ],
)
def test_refuses_other_addresses_and_says_why(text, why):
    with pytest.raises(BadAddress, match=why):
        checked_base(text)


@given(st.text(st.sampled_from("htps:/[]@?#.%0123abc\\-é \n") | st.characters(), max_size=40))
def test_any_text_is_an_address_or_refused(text):
    for candidate in (text, f"https://{text}", f"https://a.example{text}"):
        try:
            base = checked_base(candidate)
        except BadAddress:
            continue

        assert checked_base(base) == base
