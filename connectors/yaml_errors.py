"""What a YAML parser complains of, in words that say what to write instead."""

from typing import Any

from ruamel.yaml.error import MarkedYAMLError

from connectors.oauth2.problems import Problem

_NO_COLON = "could not find expected ':'"
# The first whose words the parser's own contain speaks.
_SENTENCES = (
    ("'\\t' that cannot start", "A tab stands where only spaces may.", "Indent with spaces."),
    (
        "expected chomping or indentation indicators",
        "Behind | or > only -, + and a digit may stand, or a comment.",
        "Begin the text on the next line.",
    ),
    (
        "expected a comment or a line break",
        "Behind | or > only -, + and a digit may stand, or a comment.",
        "Begin the text on the next line.",
    ),
    ("'@' that cannot start", "A text can't begin with “@”.", "Write it in quotes."),
    ("'`' that cannot start", "A text can't begin with “`”.", "Write it in quotes."),
    ("'%' that cannot start", "A text can't begin with “%”.", "Write it in quotes."),
    (
        "mapping values are not allowed",
        "A colon stands where none can be: the line above is indented differently or unfinished, or a text holds “: ”.",
        "Line the keys up, and write a text that holds “: ” in quotes.",
    ),
    (
        _NO_COLON,
        "A line has no “: ” between its key and its value.",
        "Write a colon and a space behind the key.",
    ),
    ("unexpected end of stream", "A quotation mark is never closed.", "Close it."),
    ("unknown escape character", "A backslash in double quotes begins no known escape.", "Use single quotes, or \\\\."),
    ("found '<stream end>'", "A bracket or brace is never closed.", "Close it; placeholders belong in quotes."),
    ("but got '<stream end>'", "A bracket or brace is never closed.", "Close it; placeholders belong in quotes."),
    ("expected ',' or '}'", "Between two entries in braces a comma is missing.", "Write {{placeholders}} in quotes."),
    ("expected ',' or ']'", "Between two entries in brackets a comma is missing.", "Write {{placeholders}} in quotes."),
    ("found '<scalar>'", "A text goes on behind its end.", "Put the whole text in quotes, or line it up."),
    (
        "expected <block end>",
        "The indentation fits neither the line above nor what it belongs to.",
        "Line it up with its neighbours.",
    ),
    (
        "expected '<document start>'",
        "This line fits nothing above it.",
        "Line it up with the first key, or begin a new document with `---`.",
    ),
    ("undefined tag handle", "Tags (beginning with `!`) have no meaning here.", "Remove it."),
    ("while parsing a tag", "Tags (beginning with `!`) have no meaning here.", "Remove it."),
)


def syntax_problem(error: MarkedYAMLError) -> Problem:
    """The parser's complaint in our words; in its own where we know none."""
    said = f"{error.context or ''} {error.problem or ''}"
    known = next(((message, remedy) for words, message, remedy in _SENTENCES if words in said), None)
    message, remedy = known or (
        f"This is no YAML: {error.problem}." if error.problem else "This is no YAML.",
        "Check the quotes and the indentation of this line and the one above.",
    )
    begun = error.context_mark
    if begun is not None and syntax_mark(error).line != begun.line:
        message = f"{message} It belongs to what begins on line {begun.line + 1}."
    return Problem((), message, remedy)


def syntax_mark(error: MarkedYAMLError) -> Any:
    """Where a person has to look: where the parser was, or where the line stands whose colon it missed till then."""
    is_late = _NO_COLON in (error.problem or "") and error.context_mark is not None
    return error.context_mark if is_late else error.problem_mark or error.context_mark
