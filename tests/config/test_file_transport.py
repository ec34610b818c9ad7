"""The embedded broker's folder, and whatever may become of it."""

import json
import os
import shutil
from pathlib import Path
from queue import Empty

import pytest
from kombu.exceptions import ChannelError

from config.celery import app

NO_MESSAGES = {
    "nothing": b"",
    "half a message": b'{"body": "e30=", "headers": {"task": "x"',
    "no text": b"\xff\xfe\x00\x00",
    "another thing": b"[]",
    "an object that is none": b"{}",
    "a message of other things": b'{"body": "e30=", "headers": [], "properties": {"delivery_tag": ["t"]}}',
    "a body that is none": b'{"body": "e", "properties": {"body_encoding": "base64", "delivery_tag": "t"}}',
}


@pytest.fixture
def messages(tmp_path):
    return tmp_path / "broker" / "messages"


@pytest.fixture
def connect(messages):
    """Connections, as of so many processes."""
    opened = []

    def open_one():
        options = {"data_folder_in": str(messages), "data_folder_out": str(messages)}
        opened.append(app.connection_for_read("filesystem://localhost/", transport_options=options))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.release()


@pytest.fixture
def queue(connect):
    return connect().SimpleQueue("tasks")


def taken(queue):
    """What is in the queue, until it is empty."""
    found = []
    while True:
        try:
            message = queue.get(block=False)
        except Empty:
            return found
        message.ack()
        found.append(message.payload)


def test_messages_are_taken_once_and_in_order(queue, connect):
    for number in range(20):
        queue.put(number)
    other = connect().SimpleQueue("tasks")

    both = [[one.get(block=False).payload for one in (queue, other)] for _ in range(10)]

    assert [number for pair in both for number in pair] == list(range(20))
    assert taken(queue) == taken(other) == []


def test_the_folder_is_made_when_the_first_message_is_sent_or_looked_for(queue, messages):
    assert taken(queue) == []

    queue.put("first")

    assert messages.stat().st_mode & 0o777 == 0o700
    assert taken(queue) == ["first"]


def test_a_folder_deleted_meanwhile_is_made_again(queue, messages):
    queue.put("lost")
    shutil.rmtree(messages.parent)

    assert taken(queue) == []
    queue.put("kept")

    assert taken(queue) == ["kept"]


def test_messages_deleted_meanwhile_are_passed_over(queue, messages):
    for number in range(3):
        queue.put(number)
    assert queue.get(block=False).payload == 0
    sorted(messages.iterdir())[0].unlink()

    assert taken(queue) == [2]


@pytest.mark.parametrize("written", NO_MESSAGES.values(), ids=NO_MESSAGES)
def test_what_is_no_message_is_thrown_away_and_the_next_one_taken(written, queue, messages, caplog):
    queue.put("good")
    (messages / f"{0:020}_rubbish.tasks.msg").write_bytes(written)

    assert taken(queue) == ["good"]

    assert list(messages.iterdir()) == []
    assert "was no message" in caplog.text


def test_a_queue_is_measured_and_emptied(queue, messages):
    for number in range(3):
        queue.put(number)

    assert len(queue) == 3
    assert queue.clear() == 3
    assert len(queue) == queue.clear() == 0
    shutil.rmtree(messages)
    assert len(queue) == queue.clear() == 0


def test_a_folder_in_a_messages_place_is_passed_over(queue, messages, caplog):
    queue.put("good")
    (messages / f"{0:020}_folder.tasks.msg").mkdir()

    assert taken(queue) == ["good"]
    assert taken(queue) == taken(queue) == []

    assert len(caplog.records) == 1, "complained of once"


def test_a_place_that_holds_no_messages_ends_nobody_and_is_complained_of_once(queue, messages, caplog):
    queue.put("lost")
    shutil.rmtree(messages)
    messages.write_text("a file")

    assert taken(queue) == taken(queue) == []
    with pytest.raises(ChannelError, match=f"No message can be left in {messages}: Not a directory"):
        queue.put("refused")
    messages.unlink()
    queue.put("kept")

    assert taken(queue) == ["kept"]
    assert len(caplog.records) == 1


def test_a_message_that_finds_no_room_leaves_nothing_behind(queue, messages, monkeypatch):
    def run_full(self, text):
        self.touch()
        raise OSError(28, "No space left on device")

    messages.mkdir(parents=True)
    monkeypatch.setattr(Path, "write_text", run_full)

    with pytest.raises(ChannelError, match="No space left on device"):
        queue.put("too much")

    assert list(messages.iterdir()) == []


def test_a_message_is_in_place_when_it_is_whole(queue, messages, monkeypatch):
    seen = []
    rename = Path.rename

    def look_and_rename(self, to):
        seen.extend((self.name.endswith(".draft"), json.loads(self.read_text())["body"] != ""))
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", look_and_rename)
    queue.put("whole")

    assert seen == [True, True]
    assert taken(queue) == ["whole"]


def test_a_hundred_thousand_messages_are_not_looked_through_for_each(queue, messages, monkeypatch):
    for _ in range(50):
        queue.put("one")
    looked = []
    listdir = os.listdir
    monkeypatch.setattr("os.listdir", lambda folder: looked.append(folder) or listdir(folder))

    assert len(taken(queue)) == 50

    assert len(looked) <= 2
