import json
import shutil
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oauth2.patterns import PatternError, compile_pattern

ACCEPTED = [
    r"[A-Za-z0-9_\-]+",
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"https://[a-z0-9\-]+\.example\.com/?",
    r"(?:[a-z0-9]+\.)+[a-z]{2,}",
    r"\d{1,4}|\w+\s?\S*",
    r"(a|b)*?c+?d??",
    r"[^\s@]+@[^\s@]+",
    r"[\x20-\x7e]*",
    r"[\u00c0-\u017fa-z]+",
    r"(?=.*\d)(?!x)(?<=)(?<!a).{8,}",
    r"\$\{\}\[\]\(\)\|\/\\\^",
    r"[\$\{\}\[\]\(\)\|\/\\\^\-\&\!]",
    r"[$%.,:;<=>?@^`~&!#*+]",
    r"^abc$",
    r"\bword\b",
    "é+😀",
    "/a-b/",
    "[a-z]{1,65535}",
    "",
]
REFUSED = [
    "(",
    ")",
    "a)",
    "[",
    "[]",
    "[^]",
    "[]a]",
    "[a-]",
    "[-a]",
    "[a-z-9]",
    "[z-a]",
    r"[\d-z]",
    "[a&&b]",
    "[a--b]",
    "[!--]",
    "[a~~b]",
    "[[a]]",
    "[a(b]",
    "[a|b]",
    "[a/b]",
    "[a{b]",
    "a]",
    "a}",
    "a{",
    "a{,3}",
    "a{2,1}",
    "a{x}",
    "*a",
    "a**",
    "a++",
    "a*+",
    "a?+",
    "a{2}+",
    "a{2}{3}",
    "^*",
    "(?=a)*",
    "(?!a)?",
    "(?<=a){2}",
    "(?P<name>a)",
    "(?<name>a)",
    "(?i)a",
    "(?i:a)",
    "(?>a)",
    "(?#note)",
    "(?<=a*)b",
    r"(a)\1",
    r"\p{L}",
    r"\-",
    r"\_",
    r"\A",
    r"\Z",
    r"\0",
    r"\u{1F600}",
    r"\ud83d\ude00",
    r"\xg1",
    "\\",
    "[\\",
    "[a\\",
    r"a{99999999999999999999}",
    "(" * 2000 + ")" * 2000 + "[",
]


@pytest.mark.parametrize("pattern", ACCEPTED)
def test_accepts_what_python_and_browsers_read_alike(pattern):
    assert compile_pattern(pattern).pattern == pattern


@pytest.mark.parametrize("pattern", REFUSED)
def test_refuses_the_rest_with_the_reason(pattern):
    with pytest.raises(PatternError) as refused:
        compile_pattern(pattern)

    assert len(str(refused.value)) > 10


def test_a_back_reference_is_called_by_its_name():
    with pytest.raises(PatternError, match="back reference"):
        compile_pattern(r"(a)\1")


@given(st.text(st.sampled_from("()[]{}*+?|\\^$.-&/,=!<:0123abdsw") | st.characters(), max_size=20))
def test_any_text_is_compiled_or_refused(pattern):
    with suppress(PatternError):
        compile_pattern(pattern).fullmatch("a-1")


def test_classes_are_ascii_as_in_browsers():
    assert not compile_pattern(r"\d\w").fullmatch("٣é")


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to compile patterns as a browser does")
def test_a_browser_compiles_what_is_accepted():
    script = """
        const patterns = JSON.parse(require('fs').readFileSync(0));
        const refused = patterns.filter(p => { try { new RegExp(p, 'v') } catch { return true } });
        console.log(JSON.stringify(refused));
    """

    ran = subprocess.run(
        [str(shutil.which("node")), "-e", script],
        input=json.dumps(ACCEPTED),
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(ran.stdout) == []
