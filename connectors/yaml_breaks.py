"""Characters that end a line in YAML 1.1, and that are characters like any other in YAML 1.2 (section 5.4).

The parser still breaks lines at them: a comment would end there, and a text lose spaces. So while it reads, others
stand for them.
"""

from collections.abc import Iterator

from ruamel.yaml.events import Event, ScalarEvent

_OLD = "\x85\u2028\u2029"
_HIGHEST = 0x10FFFD  # private use, where hardly anybody writes

StandIns = dict[int, str]


def without_old_breaks(text: str) -> tuple[str, StandIns]:
    """The text with stand-ins, and what each of them stands for. They occur nowhere in it, not even as escapes."""
    old = [character for character in _OLD if character in text]
    if not old:
        return text, {}
    lowered = text.lower()
    unused = (code for code in range(_HIGHEST, 0, -1) if chr(code) not in text and f"{code:08x}" not in lowered)
    chosen = {next(unused): character for character in old}
    return text.translate({ord(character): code for code, character in chosen.items()}), chosen


def restored(events: Iterator[Event], meaning: StandIns) -> Iterator[Event]:
    """The events, with what was meant in their texts."""
    for event in events:
        if meaning and isinstance(event, ScalarEvent):
            event.value = event.value.translate(meaning)
        yield event
