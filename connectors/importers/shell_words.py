"""Command lines → words, as sh, PowerShell (its line continuation) and Windows' cmd split them. Nothing is run."""

import re
from collections.abc import Iterator

from connectors.importers.draft import NotReadable

# What a command would have computed; a placeholder that names nothing.
COMPUTED = "<value>"
_ANSI_C = {"n": "\n", "t": "\t", "r": "\r", "'": "'", '"': '"', "\\": "\\"}
_CODED = re.compile(r"\\(?:u([0-9a-fA-F]{1,4})|x([0-9a-fA-F]{1,2}))")
_UNQUOTED_PLACEHOLDER = re.compile(r"<[A-Za-z][\w .\-]*>")
_CMD = re.compile(r"\^[ \t]*\r?\n|\^\"|\bcurl\.exe\b")


def commands(text: str) -> list[list[str]]:
    """The words of each command. Raises `NotReadable` for a quote that nothing closes."""
    text = text.strip().replace("\r\n", "\n")
    split = _cmd_words(text) if _CMD.search(text) else _sh_words(text)
    found: list[list[str]] = [[]]
    for word in split:
        if word is None:
            found.append([])
        else:
            found[-1].append(word)
    return [words for words in found if words]


def _sh_words(text: str) -> Iterator[str | None]:
    """Words of sh; None where one command ends."""
    word: list[str] | None = None
    at = 0
    while at < len(text):
        char = text[at]
        two = text[at : at + 2]
        if two in ("\\\n", "`\n"):
            at += 2
        elif char in " \t":
            if word is not None:
                yield "".join(word)
            word, at = None, at + 1
        elif char in "\n;|&" or (char == "#" and word is None):
            if word is not None:
                yield "".join(word)
            yield None
            word = None
            at = _line_end(text, at) if char == "#" else at + 1
        else:
            piece, at = _sh_piece(text, at)
            word = word or []
            word.append(piece)
    if word is not None:
        yield "".join(word)


def _sh_piece(text: str, at: int) -> tuple[str, int]:
    """A quoted part, an escaped character, a substitution or a plain run: its text and where the rest begins."""
    char, two = text[at], text[at : at + 2]
    if char == "'":
        end = _closing(text, "'", at + 1)
        return text[at + 1 : end], end + 1
    if two == "$'":
        return _ansi_c(text, at + 2)
    if char == '"' or two == '$"':
        return _double_quoted(text, at + (1 if char == '"' else 2))
    if two == "$(" or char == "`":
        return COMPUTED, _after_substitution(text, at)
    if char == "\\":
        return text[at + 1 : at + 2], at + 2
    if char in "<>" and not _UNQUOTED_PLACEHOLDER.match(text, at):
        raise NotReadable("The command redirects its input or output; leave that part out.")
    end = at + 1
    if char == "<":
        end = text.index(">", at) + 1  # a placeholder that somebody forgot to quote
    else:
        while end < len(text) and text[end] not in " \t\n;|&'\"\\`<>$":
            end += 1
    return text[at:end], end


def _double_quoted(text: str, at: int) -> tuple[str, int]:
    pieces: list[str] = []
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and text[at + 1 : at + 2] in ('"', "\\", "$", "`", "\n"):
            pieces.append(text[at + 1].replace("\n", ""))
            at += 2
        elif text[at : at + 2] == "$(" or text[at] == "`":
            pieces.append(COMPUTED)
            at = _after_substitution(text, at)
        else:
            pieces.append(text[at])
            at += 1
    if at >= len(text):
        raise NotReadable('The command ends inside a quotation: a closing " is missing.')
    return "".join(pieces), at + 1


def _ansi_c(text: str, at: int) -> tuple[str, int]:
    pieces: list[str] = []
    while at < len(text) and text[at] != "'":
        if text[at] == "\\" and at + 1 < len(text):
            coded = _CODED.match(text, at)
            if coded:
                pieces.append(chr(int(coded[1] or coded[2], 16)))
                at = coded.end()
                continue
            pieces.append(_ANSI_C.get(text[at + 1], text[at + 1]))
            at += 2
        else:
            pieces.append(text[at])
            at += 1
    if at >= len(text):
        raise NotReadable("The command ends inside a quotation: a closing ' is missing.")
    return "".join(pieces), at + 1


def _after_substitution(text: str, at: int) -> int:
    """Where `$(…)` or `` `…` `` ends."""
    if text[at] == "`":
        return _closing(text, "`", at + 1) + 1
    depth = 0
    for index in range(at + 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    raise NotReadable("The command ends inside $(…): a closing parenthesis is missing.")


def _closing(text: str, quote: str, start: int) -> int:
    end = text.find(quote, start)
    if end < 0:
        raise NotReadable(f"The command ends inside a quotation: a closing {quote} is missing.")
    return end


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _cmd_words(text: str) -> Iterator[str | None]:
    """Words of cmd: carets are taken out first, then quotes read as C programs on Windows do."""
    text = re.sub(r"\^[ \t]*\n", " ", text)
    text = re.sub(r"\^(.)", r"\1", text)
    word: list[str] | None = None
    quoted = False
    for found in re.finditer(r'\\"|""|"|&|\||\n|[ \t]+|[^"\\&|\n \t]+|\\', text):
        part = found[0]
        if part == '\\"' or (part == '""' and quoted):
            word = word or []
            word.append('"')
        elif part in ('"', '""'):
            word = word or []
            quoted = quoted != (part == '"')
        elif quoted or not re.fullmatch(r"[&|\n]|[ \t]+", part):
            word = word or []
            word.append(part)
        else:
            if word is not None:
                yield "".join(word)
            word = None
            if part in "&|\n":
                yield None
    if quoted:
        raise NotReadable('The command ends inside a quotation: a closing " is missing.')
    if word is not None:
        yield "".join(word)
