"""A brand's colours: legible on the pages, light and dark (WCAG 2.2, 1.4.3: at least 4.5 to 1)."""

import re

LEGIBLE = 4.5
# What pages.css writes accents on, the least favourable of them: light pages, and sunk parts of dark ones.
_LIGHT, _DARK, _DARK_CARD = "#f5f6fa", "#212637", "#181c2a"
_WHITE, _BLACK = "#ffffff", "#000000"


def is_colour(text: str) -> bool:
    """Whether this is a colour as brands write them: #rrggbb."""
    return re.fullmatch(r"#[0-9a-fA-F]{6}", text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (#rrggbb), from 1 to 21. WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def problem_with(accent: str) -> str:
    """Why buttons and links can't have this colour, and one near it that they can; or nothing."""
    ratio = contrast(accent, _LIGHT)
    if ratio >= LEGIBLE:
        return ""
    return (
        f"Text in this colour is hard to read: its contrast with the page is {ratio:.1f} to 1, and must be at least "
        f"{LEGIBLE} to 1. {_until_legible(accent, _LIGHT, towards=_BLACK)} is near it and will do."
    )


def stylesheet(accent: str, header: str) -> str:
    """The rules that give the pages these colours, either of which may be empty."""
    rules = []
    if accent:
        light = _variables(accent, paper=_LIGHT, card=_WHITE, strong=_mixed(accent, _BLACK, 0.25))
        bright = _until_legible(accent, _DARK, towards=_WHITE)
        dark = _variables(bright, paper=_DARK, card=_DARK_CARD, strong=_mixed(bright, _WHITE, 0.25))
        rules += [f":root {{ {light} }}", f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"]
    if header:
        ink = _ink_on(header)
        rules += [
            f".top {{ background: {header}; border-color: {header}; }}",
            f".top .brand, .top .tenant {{ color: {ink}; border-color: {ink}; }}",
            f".top :focus-visible {{ outline-color: {ink}; }}",
        ]
    return "\n".join((*rules, ""))


def _variables(accent: str, *, paper: str, card: str, strong: str) -> str:
    # A tint of the accent behind text of it; as much of it as stays legible.
    tints = (_mixed(card, accent, share / 100) for share in (14, 10, 7, 4, 2))
    wash = next((tint for tint in tints if contrast(accent, tint) >= LEGIBLE), card)
    values = {"accent": accent, "accent-strong": strong, "accent-ink": _ink_on(accent), "accent-wash": wash}
    return " ".join(f"--{name}: {value};" for name, value in values.items())


def _until_legible(colour: str, paper: str, *, towards: str) -> str:
    mixes = (_mixed(colour, towards, share / 50) for share in range(51))
    return next(mix for mix in mixes if contrast(mix, paper) >= LEGIBLE)


def _ink_on(colour: str) -> str:
    return max((_WHITE, _BLACK), key=lambda ink: contrast(ink, colour))


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(colour: str) -> float:
    """The relative luminance (WCAG 2.2)."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
