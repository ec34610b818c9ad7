"""Regular expressions that mean the same in Python and in a browser's `pattern` attribute.

Browsers compile `pattern` with the `v` flag, which is stricter than Python: only what both read alike is allowed.
"""

import re
from functools import lru_cache

_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_CLASS_ESCAPES = _SYNTAX | frozenset("&-!#%,:;<=>@`~")
_SHORTHANDS = frozenset("dDsSwW")
_CONTROLS = frozenset("nrtfv")
_DOUBLE = frozenset("&!#$%*+,.:;<=>?@^`~")
_LOOKS = ("(?=", "(?!", "(?<=", "(?<!")
_REPETITION = re.compile(r"\{[0-9]{1,9}(?:,[0-9]{0,9})?\}")


class PatternError(ValueError):
    """A pattern that Python or browsers can't compile; the message says why."""


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile for `fullmatch`. Raises `PatternError`. `\\d`, `\\w` and `\\b` are ASCII, as in browsers."""
    _check(pattern)
    try:
        return re.compile(pattern, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        problem = f"Python can't compile it: {error}"
    raise PatternError(problem)


def _check(pattern: str) -> None:
    position = 0
    groups: list[str] = []
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position = _escape(pattern, position, _SYNTAX, "")
        elif character == "[":
            position = _character_class(pattern, position)
        elif character == "(":
            groups.append(_group(pattern, position))
            position += len(groups[-1])
        elif character == ")":
            position += 1
            if groups and groups.pop() in _LOOKS and pattern[position : position + 1] in ("*", "+", "?", "{"):
                raise PatternError("browsers can't repeat a look-ahead or look-behind")
        elif character == "{":
            position = _repetition(pattern, position)
        elif character in "]}":
            raise PatternError(f"browsers want a literal “{character}” written as “\\{character}”")
        elif character in "*+?":
            position = _behind_quantifier(pattern, position + 1)
        else:
            position += 1


def _escape(pattern: str, position: int, allowed: frozenset[str], where: str) -> int:
    following = pattern[position + 1 : position + 2]
    if not following:
        raise PatternError("it ends in a “\\”")
    if following in _SHORTHANDS | _CONTROLS or following in allowed or (not where and following in ("b", "B")):
        return position + 2
    for prefix, digits in (("x", 2), ("u", 4)):
        code = pattern[position + 2 : position + 2 + digits]
        if following == prefix and re.fullmatch(f"[0-9A-Fa-f]{{{digits}}}", code):
            if 0xD800 <= int(code, 16) <= 0xDFFF:
                raise PatternError(f"“\\u{code}” is half a character; write the character itself")
            return position + 2 + digits
    if not where and following in "123456789":
        # To browsers, what a group that took no part refers to is empty; to Python it fits nothing.
        raise PatternError(f"the back reference “\\{following}” is not read alike by Python and browsers")
    raise PatternError(f"browsers don't know “\\{following}”{where}; if you mean that character, write “{following}”")


def _character_class(pattern: str, position: int) -> int:
    position += 2 if pattern[position + 1 : position + 2] == "^" else 1
    if pattern[position : position + 1] == "]":
        raise PatternError("an empty [] can't be read alike by Python and browsers")
    while position < len(pattern):
        if pattern[position] == "]":
            return position + 1
        position = _class_character(pattern, position)
        if pattern[position : position + 1] == "-":  # a range
            position = _class_character(pattern, position + 1)
    raise PatternError("a “[” has no closing “]”")


def _class_character(pattern: str, position: int) -> int:
    character = pattern[position : position + 1]
    if character == "\\":
        return _escape(pattern, position, _CLASS_ESCAPES, " inside [ ]")
    if character == "-" or (character == "]" and pattern[position - 1] == "-"):
        raise PatternError("inside [ ], browsers want a literal “-” written as “\\-”")
    if character and character in "()[{}/|":
        raise PatternError(f"inside [ ], browsers want “{character}” written as “\\{character}”")
    if character in _DOUBLE and pattern[position + 1 : position + 2] == character:
        raise PatternError(f"inside [ ], browsers don't allow “{character}{character}”")
    return position + 1


def _group(pattern: str, position: int) -> str:
    """The group's opening."""
    if pattern[position + 1 : position + 2] != "?":
        return "("
    for opening in ("(?:", *_LOOKS):
        if pattern.startswith(opening, position):
            return opening
    raise PatternError(f"“{pattern[position : position + 3]}” is not read alike by Python and browsers")


def _repetition(pattern: str, position: int) -> int:
    match = _REPETITION.match(pattern, position)
    if match is None:
        raise PatternError("browsers want a literal “{” written as “\\{”")
    return _behind_quantifier(pattern, match.end())


def _behind_quantifier(pattern: str, position: int) -> int:
    if pattern[position : position + 1] == "?":
        position += 1
    if pattern[position : position + 1] in ("+", "*"):
        raise PatternError(f"browsers don't know the quantifier “{pattern[position - 1 : position + 1]}”")
    return position
