"""What a parser of YAML 1.1's ways finds in a text, as YAML 1.2 has it.

NEL and Unicode's line and paragraph separators are characters like any other now (section 5.4). The parser still breaks
lines at them: a comment would end there, and a text lose spaces. So while it reads, others stand for them.
"""

from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.events import Event, ScalarEvent

from connectors.yaml_tabs import TabScanner

_OLD = "\x85\u2028\u2029"
_HIGHEST = 0x10FFFD  # private use, where hardly anybody writes

StandIns = dict[int, str]


def events(text: str) -> Iterator[Event]:
    """The parser's events. Raises ruamel's `YAMLError` as they are asked for."""
    parser = YAML(typ="safe", pure=True)
    parser.Scanner = TabScanner
    text, meaning = _without_old_breaks(text)
    for event in parser.parse(text):
        if meaning and isinstance(event, ScalarEvent):
            event.value = event.value.translate(meaning)
        yield event


def _without_old_breaks(text: str) -> tuple[str, StandIns]:
    """The text with stand-ins, and what each of them stands for. They occur nowhere in it, not even as escapes."""
    old = [character for character in _OLD if character in text]
    if not old:
        return text, {}
    lowered = text.lower()
    unused = (code for code in range(_HIGHEST, 0, -1) if chr(code) not in text and f"{code:08x}" not in lowered)
    chosen = {next(unused): character for character in old}
    return text.translate({ord(character): code for code, character in chosen.items()}), chosen
