import json
from base64 import b64decode
from contextlib import suppress
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.oauth2.templates import TemplateError, parse
from tests.connectors.oauth2.definitions import ONE_UUID, rendering

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\r\n")
)


def render(source, **values):
    return parse(source).render(rendering(**values))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{{a}}", "A"),
        ("{{ a }}", "A"),
        ("{{\n a\t}}", "A"),
        ("x{{a}}y{{b}}z", "xAyBz"),
        ("{{a}}{{b}}", "AB"),
        ("{{response.api_url}}", "https://api"),
        ("{{with-hyphen}}", "H"),
        ('{{"text"}}', "text"),
        ('{{"{{"}}', "{{"),
        ('{{"}}"}}', "}}"),
        ('{{"a \\"b\\" \\\\ c"}}', 'a "b" \\ c'),
        ('{{"line\\nbreak\\t"}}', "line\nbreak\t"),
        ("{{(a)}}", "A"),
        ('{{(a ~ ":" ~ b)}}', "A:B"),
        ('{{(a~":"~b)|base64}}', "QTpC"),
        ('{{((a ~ "-") ~ (b ~ "."))}}', "A-B."),
        ("{{empty or a}}", "A"),
        ('{{empty or "fallback"}}', "fallback"),
        ('{{empty or empty|upper or b|lower or "c"}}', "b"),
        ("{{a or b}}", "A"),
        ("{{a\nor\nb}}", "A"),
        ("a } b }} c", "a } b }} c"),
        ('{"a":{"b":"{{a}}"}}', '{"a":{"b":"A"}}'),
        ("{ {a} }", "{ {a} }"),
    ],
)
def test_reads_the_grammar(source, text):
    values = {"a": "A", "b": "B", "empty": "", "response__api_url": "https://api", "with-hyphen": "H"}

    assert render(source, **values) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{"aä"|base64}}', "YcOk"),
        ('{{"a b/c+ä~"|urlencode}}', "a%20b%2Fc%2B%C3%A4~"),
        ('{{""|sha256}}', "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ('{{"AbC"|lower}}', "abc"),
        ('{{"AbC"|upper}}', "ABC"),
        ('{{"  a b\\n"|trim}}', "a b"),
        ('{{" a b,c\\nd,, e "|join(",")}}', "a,b,c,d,e"),
        ('{{"a,b"|join(" ")}}', "a b"),
        ('{{"a,b"|join("")}}', "ab"),
        ('{{"q\\"b\\\\"|json}}', 'q\\"b\\\\'),
        ("{{\"<a b='c'>&\"|xml}}", "&lt;a b=&apos;c&apos;&gt;&amp;"),
        ('{{"A"|lower|base64}}', "YQ=="),
    ],
)
def test_applies_filters(source, text):
    assert render(source) == text


def test_a_filter_belongs_to_its_term():
    assert render("{{a|upper or b|lower}}", a="", b="B") == "b"


def test_all_uuids_of_one_rendering_are_equal():
    assert render("{{uuid()}} {{uuid( )}}") == f"{ONE_UUID} {ONE_UUID}"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{now()}}", "1772719629"),
        ('{{now("%Y-%m-%d")}}', "2026-03-05"),
        ('{{now("%Y-%m-%dT%H:%M:%SZ", "+7d")}}', "2026-03-12T14:07:09Z"),
        ('{{now("%Y-%m-%d", "-1w")}}', "2026-02-26"),
        ('{{now("%H:%M:%S","+1h")}}', "15:07:09"),
        ('{{now("%H:%M:%S", "-15m")}}', "13:52:09"),
        ('{{now("%s", "+30s")}}', "1772719659"),
    ],
)
def test_tells_the_time_in_utc(source, text):
    assert render(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{",
        "{{}}",
        "{{ }}",
        "{{a",
        "{{a}",
        "{{a b}}",
        "{{a.}}",
        "{{.a}}",
        "{{a..b}}",
        "{{1}}",
        "{{a + b}}",
        "{{a ~ b}}",
        "{{(a b)}}",
        "{{(a ~ b}}",
        "{{()}}",
        "{{(a|lower)}}",
        "{{(a or b)}}",
        '{{"a"or"b"}}',
        '{{"a" or"b"}}',
        "{{or}}",
        "{{a or}}",
        "{{or a}}",
        "{{a |}}",
        "{{a|nothing}}",
        "{{a|join}}",
        '{{a|join("a","b")}}',
        "{{a|join(b)}}",
        "{{'a'}}",
        '{{"a}}',
        '{{"\\x"}}',
        "{{uuid(1)}}",
        '{{uuid("a")}}',
        "{{random()}}",
        "{{a()}}",
        '{{now("%Y", "7d")}}',
        '{{now("%Y", "+7")}}',
        '{{now("%Y", "+7y")}}',
        '{{now("%Y", "+٣d")}}',
        '{{now("%Y", "+99999d")}}',
        '{{now("%Y", "+7d", "x")}}',
        '{{now("")}}',
        '{{now("100%")}}',
        '{{now("%Q")}}',
        "{{a[0]}}",
        "{{a == b}}",
        "{% if a %}{{a}}{% x %}{{{b}}}",
        "{{" + "(" * 1000 + "a" + ")" * 1000 + "}}",
    ],
)
def test_refuses_everything_else_with_a_remedy(source):
    with pytest.raises(TemplateError) as refused:
        parse(source)

    assert "can't be read" in refused.value.message
    assert len(refused.value.message) < 300
    assert refused.value.remedy


def test_names_the_placeholder_that_is_wrong():
    with pytest.raises(
        TemplateError, match=r"The placeholder \{\{b\|shout\}\} can't be read: there is no filter “shout”"
    ):
        parse("{{a}} and {{b|shout}}")


def test_knows_which_names_it_needs():
    template = parse('{{a|lower or (b ~ "c" ~ (d))}} {{response.e or now()}} "f"')

    assert template.names == {"a", "b", "d", "response.e"}


@pytest.mark.parametrize(
    ("source", "keeps"),
    [
        ("", True),
        ('{{a or ""}}', True),
        ('{{a or b or ""}}', True),
        ("{{a}}", False),
        ("{{a or b}}", False),
        ('{{""}}', False),
        ('{{a or ""|trim}}', False),
    ],
)
def test_an_empty_result_is_meant_where_the_template_says_so(source, keeps):
    assert parse(source).keeps_empty is keeps


def test_a_value_is_never_read_as_a_template():
    assert render("{{a}}", a="{{b}}", b="secret") == "{{b}}"


@given(st.text(st.sampled_from('{}"\\|()~, \tabor.-%nowjinYd+7\n') | st.characters(), max_size=60))
@settings(max_examples=300)
def test_any_text_is_read_or_refused(source):
    with suppress(TemplateError):
        parse(source)


@given(st.lists(st.sampled_from(["{{", "}}", '"', "a", " or ", "|", "join", "(", ")", "now", "uuid", "~", ",", "\\"])))
@settings(max_examples=300)
def test_any_mix_of_tokens_is_read_or_refused(tokens):
    with suppress(TemplateError):
        parse("".join(tokens)).render(rendering(a="A"))


@given(st.text().filter(lambda text: "{{" not in text))
def test_literal_text_stands_as_it_is(text):
    assert render(text) == text


@given(TEXT)
def test_values_survive_base64(value):
    assert b64decode(render("{{a|base64}}", a=value), validate=True).decode() == value


@given(TEXT)
def test_values_survive_urlencode(value):
    assert unquote(render("{{a|urlencode}}", a=value)) == value


@given(TEXT)
def test_values_survive_json(value):
    assert json.loads(render('"{{a|json}}"', a=value)) == value


@given(XML_TEXT)
def test_values_survive_xml_in_elements_and_attributes(value):
    element = ElementTree.fromstring(render('<x y="{{a|xml}}">{{a|xml}}</x>', a=value))  # noqa: S314 (made here)

    assert (element.text or "", element.get("y")) == (value, value)
