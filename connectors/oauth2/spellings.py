"""The ways in which a value is written when it travels, as patterns that find it in a text."""

import re
from base64 import b64encode, urlsafe_b64encode

_BASE64 = (b64encode, urlsafe_b64encode)
_TELLING = 6  # characters of base64: fewer would be found by chance
_SHORT = 3  # characters: so short a value would be found inside ordinary words
_SPACES = r"(?:\s|\+|%20|%09|%0[ad]|%0[AD]|\\[nrt]|&#0*(?:9|10|13|32);){1,6}"
_SHORTHANDS = {
    "+": (" ",),
    '"': (r"\\\"", "&quot;"),
    "\\": (r"\\\\",),
    "/": (r"\\/",),
    "&": ("&amp;",),
    "<": ("&lt;",),
    ">": ("&gt;",),
    "'": ("&apos;", r"\\'"),
}


def spelling(text: str) -> str:
    """A pattern that finds `text` as it is, percent-encoded, or escaped as JSON and HTML do it, or in a mixture."""
    parts = re.split(r"(\s+)", text)
    source = "".join(_SPACES if part.isspace() else "".join(map(_character, part)) for part in parts)
    return rf"(?<!\w){source}(?!\w)" if len(text) <= _SHORT else source


def secret_spellings(secret: str) -> list[str]:
    """Patterns for a secret: the spellings of its text, and of its base64."""
    octets = secret.encode(errors="replace")
    texts = [secret, secret.strip(), *(encode(octets).decode().rstrip("=") for encode in _BASE64)]
    return [spelling(text) for text in dict.fromkeys(texts) if text]


def inside_base64(secret: str) -> list[str]:
    """What is surely there where base64 holds the secret among other things: one of three texts, by its offset."""
    octets = secret.encode(errors="replace")
    wholes = [(offset, encode(b"\0" * offset + octets).decode()) for encode in _BASE64 for offset in range(3)]
    inner = [whole[(offset * 8 + 5) // 6 : (offset + len(octets)) * 8 // 6] for offset, whole in wholes]
    return [text for text in dict.fromkeys(inner) if len(text) >= _TELLING]


def _character(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    octets = "".join(f"%{octet:02x}" for octet in character.encode(errors="replace"))
    units = character.encode("utf-16-be", "surrogatepass").hex()
    escaped = "".join(rf"\\u{units[index : index + 4]}" for index in range(0, len(units), 4))
    ways = [f"(?i:{octets})", f"(?i:{escaped})", rf"&#0*{ord(character)};", rf"(?i:&#x0*{ord(character):x};)"]
    # Itself last: where "%25" stands for "%", nothing of it may be left.
    ways += [*_SHORTHANDS.get(character, ()), re.escape(character)]
    return f"(?:{'|'.join(ways)})"
