"""What is wrong in a definition: where, what, and what to do instead."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """`path` leads from the top of what was checked; `message` and `remedy` are sentences."""

    path: Path
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def below(self, *prefix: str | int) -> "Problem":
        """The same problem, seen from further up."""
        return Problem((*prefix, *self.path), self.message, self.remedy)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The words that exist, the likeliest first if one is close."""
    known = sorted(words)
    close = get_close_matches(word, known, n=1)
    listed = f"The names that exist: {', '.join(known)}." if known else "There are none here."
    return f"Did you mean {close[0]}? {listed}" if close else listed


def dotted(path: Path) -> str:
    """A path as people write it: `auth_methods[0].token_request.url`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
