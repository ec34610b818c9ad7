import pytest

from connectors.oauth2.answers import read_answer
from connectors.oauth2.definition import TokenResponse
from connectors.oauth2.errors import CredentialsRefused
from connectors.oauth2.response import read_grant
from tests.connectors.oauth2.definitions import NOW, answer, rendering

SESSION = b"""<?xml version="1.0" encoding="utf-8"?>
<s:Answer xmlns:s="urn:example" version="2">
  <Session id="77" s:kind="api"><Token type="opaque"> tok<![CDATA[en&]]>1&#x2F;&amp; </Token><api.url>https://x</api.url></Session>
  <Item><Name>first</Name></Item>
  <Item><Name>second</Name></Item>
</s:Answer>"""


def find(path, body=SESSION, content_type="text/xml; charset=utf-8"):
    return read_answer(answer(body, content_type=content_type)).find(path)


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=utf-8", "application/soap+xml"])
def test_finds_an_element_by_its_names_from_the_root(content_type):
    assert find("Answer.Session.Token", content_type=content_type) == "token&1/&"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("s:Answer.Session.Token", "token&1/&"),
        ("Answer.@version", "2"),
        ("Answer.Session.@id", "77"),
        ("Answer.Session.@kind", "api"),
        ("Answer.Session.@s:kind", "api"),
        ("Answer.Session.api.url", "https://x"),
        ("Answer.Item.Name", "first"),
        ("Answer.Item.0.Name", "first"),
        ("Answer.Item.1.Name", "second"),
        ("Answer.Session.0.Token.0", "token&1/&"),
        ("Answer.Item.2.Name", None),
        ("Answer.Session.@none", None),
        ("Session.Token", None),
        ("Answer.session", None),
        ("0", None),
    ],
)
def test_finds_attributes_and_repeated_elements(path, value):
    assert find(path) == value


def test_an_element_with_several_of_one_name_gives_a_list():
    assert find("a", b"<a><b>1</b><b>2</b><c/></a>") == {"b": ["1", "2"], "c": ""}


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY x "secret">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>1</a>',
        b"<!DOCTYPE a><a>1</a>",
        b"<a>&undeclared;</a>",
        b"<a>1",
        b"<a>1</a><b/>",
        b"<a" * 500,
        b"<a>" * 100_000 + b"1" + b"</a>" * 100_000,
        b"plain text",
        b"",
        b"\x00\xff\xfe",
    ],
)
def test_nothing_is_found_in_what_has_a_document_type_or_is_no_xml(body):
    assert find("a", body) is None


def test_what_is_not_read_as_xml_is_still_there_as_text():
    assert find("$", b"<a>1") == "<a>1"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1"), "text/xml"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode(), "text/xml; charset=utf-8"),
        ("<a>é</a>".encode("utf-16"), "application/xml"),
        ('<?xml version="1.0" encoding="klingon"?><a>é</a>'.encode(), "application/xml"),
        ("\ufeff<a>é</a>".encode(), "application/xml"),
    ],
)
def test_the_label_outweighs_the_declaration_which_outweighs_utf_8(body, content_type):
    assert find("a", body, content_type) == "é"


def test_json_with_an_xml_label_is_still_json():
    assert find("token", b'{"token": "abc"}', "application/xml") == "abc"


def test_xml_in_a_text_answer_stays_text():
    assert find("a", b"<a>1</a>", "text/plain") is None


def test_buys_a_token_from_an_xml_answer():
    definition = TokenResponse(access_token="Auth.Token", expires_in="Auth.Token.@lifetime", keep={"url": "Auth.Url"})
    body = b'<Auth><Token lifetime="60">abc</Token><Url>https://api.example</Url></Auth>'

    grant = read_grant(definition, answer(body, content_type="text/xml"), rendering(), now=NOW, secrets=())

    assert (grant.access_token, grant.kept, grant.life.total_seconds()) == ("abc", {"url": "https://api.example"}, 60)


def test_reads_a_refusal_from_an_xml_answer():
    definition = TokenResponse(access_token="Auth.Token", error="Fault.error", error_description="Fault.text")
    body = b"<Fault><error><code>E17</code></error><text>No such key</text></Fault>"

    with pytest.raises(CredentialsRefused) as refused:
        read_grant(definition, answer(body, content_type="text/xml"), rendering(), now=NOW, secrets=())

    assert (refused.value.error, refused.value.description) == ("E17", "No such key")
