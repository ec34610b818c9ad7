"""Regular expressions that mean the same in Python and in a browser's `pattern` attribute.

Browsers compile `pattern` with the `v` flag, which is stricter than Python: only what both read alike is allowed.
"""

import re

_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_CLASS_ESCAPES = _SYNTAX | frozenset("&-!#%,:;<=>@`~")
_SHORTHANDS = frozenset("dDsSwW")
_CONTROLS = frozenset("nrtfv")
_DOUBLE = frozenset("&!#$%*+,.:;<=>?@^`~")
_GROUPS = ("(?:", "(?=", "(?!", "(?<=", "(?<!")


class PatternError(ValueError):
    """A pattern that Python or browsers can't compile; the message says why."""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile for `fullmatch`. Raises `PatternError`. Classes such as `\\d` are ASCII, as in browsers."""
    _check(pattern)
    try:
        return re.compile(pattern, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        problem = f"Python can't compile it: {error}"
    raise PatternError(problem)


def _check(pattern: str) -> None:
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position = _escape(pattern, position, _SYNTAX, "")
        elif character == "[":
            position = _character_class(pattern, position)
        elif character == "(":
            position = _group(pattern, position)
        elif character == "{":
            position = _repetition(pattern, position)
        elif character in "]}":
            raise PatternError(f"browsers want a literal “{character}” written as “\\{character}”")
        elif character in "*+?":
            position = _quantifier(pattern, position)
        else:
            position += 1


def _escape(pattern: str, position: int, allowed: frozenset[str], where: str) -> int:
    following = pattern[position + 1 : position + 2]
    if following in _SHORTHANDS | _CONTROLS or following in allowed or (not where and following in ("b", "B")):
        return position + 2
    for prefix, digits in (("x", 2), ("u", 4)):
        code = pattern[position + 2 : position + 2 + digits]
        if following == prefix and re.fullmatch(f"[0-9A-Fa-f]{{{digits}}}", code):
            return position + 2 + digits
    raise PatternError(f"browsers don't know “\\{following}”{where}; if you mean that character, write “{following}”")


def _character_class(pattern: str, position: int) -> int:
    position += 2 if pattern[position + 1 : position + 2] == "^" else 1
    first = position
    while position < len(pattern):
        character = pattern[position]
        if character == "]":
            if position == first:
                raise PatternError("an empty [] can't be read alike by Python and browsers")
            return position + 1
        if character == "\\":
            position = _escape(pattern, position, _CLASS_ESCAPES, " inside [ ]")
            continue
        if character in "()[{}/|":
            raise PatternError(f"inside [ ], browsers want “{character}” written as “\\{character}”")
        if character == "-" and (position == first or pattern[position + 1 : position + 2] == "]"):
            raise PatternError("inside [ ], browsers want a literal “-” written as “\\-”")
        if character in _DOUBLE and pattern[position + 1 : position + 2] == character:
            raise PatternError(f"inside [ ], browsers don't allow “{character}{character}”")
        position += 1
    raise PatternError("a “[” has no closing “]”")


def _group(pattern: str, position: int) -> int:
    if pattern[position + 1 : position + 2] != "?":
        return position + 1
    for opening in _GROUPS:
        if pattern.startswith(opening, position):
            return position + len(opening)
    raise PatternError(f"“{pattern[position : position + 3]}” is not read alike by Python and browsers")


def _repetition(pattern: str, position: int) -> int:
    match = re.compile(r"\{\d{1,4}(?:,\d{0,4})?\}").match(pattern, position)
    if match is None:
        raise PatternError("browsers want a literal “{” written as “\\{”")
    return _behind_quantifier(pattern, match.end())


def _quantifier(pattern: str, position: int) -> int:
    return _behind_quantifier(pattern, position + 1)


def _behind_quantifier(pattern: str, position: int) -> int:
    if pattern[position : position + 1] == "?":
        position += 1
    if pattern[position : position + 1] in ("+", "*"):
        raise PatternError(f"browsers don't know the quantifier “{pattern[position - 1 : position + 1]}”")
    return position
