"""Lines for a reader who may be slow, stopped, or gone."""

import os
import threading
from contextlib import suppress

import pytest

from config.voice import HELD, Voice

LINE = "x" * 199


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        with suppress(OSError):
            os.close(end)


def read_lines(reading, enough):
    said = b""
    while not enough(said):
        said += os.read(reading, 65536)
    return said.decode().splitlines()


def test_lines_come_whole_and_in_order_from_several_threads(pipe):
    say = Voice(pipe[1])
    threads = [threading.Thread(target=lambda n=n: [say(f"{n} {i}") for i in range(50)]) for n in range(4)]

    for thread in threads:
        thread.start()

    lines = read_lines(pipe[0], lambda said: said.count(b"\n") == 200)
    for n in range(4):
        assert [line for line in lines if line.startswith(f"{n} ")] == [f"{n} {i}" for i in range(50)]


def test_who_stops_reading_holds_up_nobody_and_is_told_what_is_missing(pipe):
    say = Voice(pipe[1])

    for _ in range(5 * HELD):
        say(LINE)

    say.finish()
    lines = read_lines(pipe[0], lambda said: b"left out" in said and said.endswith(b"\n"))
    assert set(lines[:-1]) == {LINE}
    assert lines[-1] == f"{5 * HELD - len(lines) + 1} lines are left out here: they were not read in time."
    say("heard again")
    assert read_lines(pipe[0], lambda said: said.endswith(b"\n")) == ["heard again"]


def test_who_is_gone_is_written_to_no_more(pipe):
    say = Voice(pipe[1])
    os.close(pipe[0])

    for _ in range(2 * HELD):
        say(LINE)

    say.finish()


def test_a_descriptor_that_does_not_wait_is_waited_for(pipe):
    os.set_blocking(pipe[1], False)
    say = Voice(pipe[1])

    for _ in range(HELD):
        say(LINE)

    assert read_lines(pipe[0], lambda said: said.count(b"\n") == HELD) == [LINE] * HELD
