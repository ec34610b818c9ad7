"""YAML text: what it means, what is refused, and on which line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.oauth2.problems import dotted
from connectors.yaml_text import MAX_BYTES, MAX_DEPTH, read_documents
from connectors.yaml_writing import write_documents


def values(text: str) -> object:
    documents, findings = read_documents(text.encode())
    assert findings == []
    return [document.value for document in documents]


def complaints(content: str | bytes) -> list[str]:
    _, findings = read_documents(content.encode() if isinstance(content, str) else content)
    return [
        f"{mark.line}:{mark.column} {dotted(problem.path)} {problem}".replace("  ", " ") for mark, problem in findings
    ]


@pytest.mark.parametrize(
    "word", ["no", "on", "Yes", "off", "y", "12:30", "2022-06-28", "1_000", "0b1", "1.2.3", "=", "1,5"]
)
def test_words_that_older_readers_misread_are_texts(word):
    assert values(f"a: {word}") == [{"a": word}]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("3600", 3600),
        ("-1", -1),
        ("1.5", 1.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_numbers_truth_values_and_null_are_read(word, value):
    assert values(f"a: {word}") == [{"a": value}]


@pytest.mark.parametrize(
    "word", ["0755", "1.10", "+5", "1e3", "0x1F", "0o17", ".5", "-0", ".inf", ".nan", "1e999", "9" * 301]
)
def test_numbers_that_would_come_out_changed_are_refused(word):
    (complaint,) = complaints(f"a:\n  b: {word}")

    assert complaint.startswith("2:6 a.b ")
    assert "quotes" in complaint


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: 1\na: 2", "2:1 a The key `a` is there twice, first on line 1. Remove one."),
        ("a:\n\t- b", "2:1 A tab stands where only spaces may. Indent with spaces."),
        ("a: b\n  \tc: d", "2:3 A tab stands where only spaces may. Indent with spaces."),
        ("-\t- a", "1:3 "),
        ("a: | b", "1:6 Behind | or > only -, + and a digit may stand"),
        ("a: b: c", "1:5 A colon stands where none can be"),
        (
            "a: b\nc:d\ne: f",
            "2:1 A line has no “: ” between its key and its value. Write a colon and a space",
        ),
        ("a: b\nc d\ne: f", "2:1 A line has no “: ” between its key and its value. Write a colon and a"),
        ("a: {{b}}", "1:5 a A bracket or brace stands where a key belongs. A {{placeholder}} belongs in quotes"),
        ("a: {b", "1:6 A bracket or brace is never closed."),
        ("a: 'b", "A quotation mark is never closed."),
        ("a: @b", "1:4 A text can't begin with “@”. Write it in quotes."),
        ('a: "\\d"', "A backslash in double quotes begins no known escape."),
        ("a: &x {b: 1}\nc:\n  <<: *x", "3:3 c Merge keys (<<) are not part of YAML 1.2."),
        ("a: *x", "1:4 a The alias *x names nothing above."),
        ("a: &x [*x]", "1:8 a[0] The alias *x leads back to itself."),
        ("404: a", '1:1 A key must be a text. Write "404" in quotes.'),
        ("true: a", 'Write "true" in quotes.'),
        ("? [a]\n: b", "1:3 A bracket or brace stands where a key belongs."),
        ("a: !!python/object:os.system x", "1:4 a Tags (beginning with `!`) have no meaning here."),
        ("%YAML 1.1\n---\na: 1", "The file asks for YAML 1.1; it is read as YAML 1.2."),
        ('a: "x\\0y"', "1:4 a The text holds a character that can't be stored (NUL or half a pair). Remove it."),
        ('a: "\\ud83d"', "1:4 a The text holds a character that can't be stored"),
        ("", "1:1 The file holds no document."),
        ("---\n---\n# nothing\n", "1:1 The file holds no document."),
        (b"a: 1\nb: \xff", "2:4 The file is not UTF-8 text."),
        (b"\xef\xbb\xbfa: \xff", "1:4 The file is not UTF-8 text."),
        ("a: 1\nb: x\x07", "2:5 The file holds the invisible character U+0007."),
        ("a: 1\n---\n\ufeffb: 1", "3:1 The file holds the invisible character U+FEFF. Remove it"),
        (b"#" * (MAX_BYTES + 1), "The file is larger than 1,000,000 bytes."),
        ("[" * 100_000, f"1:{MAX_DEPTH + 1} This is nested more than {MAX_DEPTH} levels deep."),
    ],
)
def test_what_is_wrong_has_a_place_and_a_remedy(content, expected):
    assert any(expected in complaint for complaint in complaints(content)), complaints(content)


@pytest.mark.parametrize(("word", "number"), [("1e3", "1000"), ("5.", "5"), ("1.10", "1.1"), ("1e22", "1e+22")])
def test_a_number_is_suggested_as_it_can_be_written(word, number):
    (complaint,) = complaints(f"a: {word}")

    assert complaint.endswith(f"or {number} if it is a number.")


def test_everything_wrong_with_the_values_is_told_at_once():
    assert len(complaints("a: 0755\na: 1\n7: x\nb: !x y\n---\nc: 1.10")) == 5


def test_documents_before_a_syntax_error_are_still_read():
    documents, findings = read_documents(b"a: 1\n---\nb: [")

    assert [document.value for document in documents] == [{"a": 1}]
    assert len(findings) == 1


def test_aliases_stand_for_what_they_name():
    assert values("a: &x {b: [1]}\nc: *x\nd: !!str 12") == [{"a": {"b": [1]}, "c": {"b": [1]}, "d": "12"}]


def test_aliases_that_would_grow_without_bound_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    (complaint,) = complaints("\n".join(lines))

    assert "aliases written out" in complaint


def test_line_breaks_and_a_byte_order_mark_make_no_difference():
    documents, findings = read_documents(b"\xef\xbb\xbfa: |\r\n  one\r\n  two\r\n---\r\n---\r\nb: 1\r\n")

    assert findings == []
    assert [document.value for document in documents] == [{"a": "one\ntwo\n"}, {"b": 1}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:\tb\t", {"a": "b"}),
        ("a:\t\n  b:\t'c'\t# d", {"a": {"b": "c"}}),
        ("a:\n  -\tb\n  - \tc", {"a": ["b", "c"]}),
        ("a: b\n\t\n  \t \nc: d", {"a": "b", "c": "d"}),
        ("a: b\n\t# c\nd: e\n\t", {"a": "b", "d": "e"}),
        ('{\n\t"a":\t[\n\t\t"b"\n\t]\n}', {"a": ["b"]}),
        ("a: |\n  \tb\t\nc: >\n  d\n", {"a": "\tb\t\n", "c": "d\n"}),
    ],
)
def test_tabs_are_white_space_where_they_indent_nothing(text, value):
    assert values(text) == [value]


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_line_breaks_of_yaml_1_1_are_characters_like_any_other(character):
    text = f"a {character} b"

    for source in (
        f"k: {text}",
        f"k: '{text}'",
        f'k: "{text}"',
        f"k: |-\n  {text}",
        f"k: >-\n  {text}",
        f"k: {text} # not {character}c: d",
        f"k: &x {text}",
    ):
        assert values(source) == [{"k": text}], source
    assert values(f"{text}: 1") == [{text: 1}]


def test_a_character_stands_for_no_other_even_if_it_is_written_as_an_escape():
    wanted = "\U0010fffd\U0010fffc\U0010fffb\u2028"

    assert values('k: "\\U0010FFFD\\udbff\\udffc\U0010fffb\u2028"') == [{"k": wanted}]


def test_places_behind_such_a_character_are_an_editors():
    documents, _ = read_documents("a: 'b\u2028c'\nd: 1\n".encode())

    assert tuple(documents[0].find(("d",))[0]) == (2, 1)


def test_a_pair_of_escaped_surrogates_is_one_character():
    assert values('a: "\\ud83d\\ude00"') == [{"a": "😀"}]


def test_places_are_those_of_keys_and_items():
    documents, _ = read_documents(b"a:\n  - b: |\n      text\n  -\n    c: 1\n")

    places = {
        path: tuple(documents[0].find(path)[0]) for path in [("a",), ("a", 0, "b"), ("a", 1, "c"), ("a", 1, "gone")]
    }

    assert places == {("a",): (1, 1), ("a", 0, "b"): (2, 5), ("a", 1, "c"): (5, 5), ("a", 1, "gone"): (5, 5)}


def test_text_is_written_as_a_person_would():
    document = {
        "key": "zoom",
        "name": "12:30",
        "instructions": "1. One\n2. Two\n",
        "pattern": "\\d+",
        "url": "https://example.com/a?b=c",
        "default": "{{a}}",
        "variables": [{"key": "a", "choices": ["x", "no"]}, {}],
        "headers": {},
        "status": [200, 201],
        "none": None,
        "long": "word " * 60 + "end",
    }

    assert write_documents([document, {"kind": "x"}]) == (
        "key: zoom\n"
        'name: "12:30"\n'
        "instructions: |\n  1. One\n  2. Two\n"
        "pattern: '\\d+'\n"
        "url: https://example.com/a?b=c\n"
        'default: "{{a}}"\n'
        'variables:\n  - key: a\n    choices: [x, "no"]\n  - {}\n'
        "headers: {}\n"
        "status: [200, 201]\n"
        "none: null\n"
        f"long: {'word ' * 60}end\n"
        "---\nkind: x\n"
    )


TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    | st.text("a1 :-#\n\t'\"\\{}[],&*!|>%@`~?_.y<=0xeoinf", max_size=14)
    | st.sampled_from(
        ["no", "0755", "1.10", "12:30", "2022-06-28", "null", "", "1e3", ".inf", "a\n", "\na", " a\n\n b\n\n"]
    )
)
SCALARS = TEXTS | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
DATA = st.recursive(
    SCALARS | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.dictionaries(TEXTS, DATA, min_size=1, max_size=4), min_size=1, max_size=3))
def test_what_is_written_is_read_back_exactly(documents):
    text = write_documents(documents)

    assert json.dumps(values(text)) == json.dumps(documents)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text(" \n\t:-[]{}&*!|>'\"#%@`,?ab1<.~\\", max_size=40).map(str.encode))
def test_no_file_makes_the_reader_fail(content):
    documents, findings = read_documents(content)

    assert documents or findings
