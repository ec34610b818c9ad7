"""What the scheduler sends when, whatever becomes of its notes and of the clock."""

from datetime import UTC, datetime

import pytest
from celery import Celery

from config.scheduler import Scheduler

SPOILT = {
    "nothing": b"",
    "half": b'{"often": 17',
    "a shelf": b"\xce\x9aW\x13\0\0",
    "a list": b"[]",
    "text": b'{"daily": "x"}',
}


class Clock:
    """One that can be put wrong, beside one that can't."""

    def __init__(self):
        self.steady, self.wrong = 1000.0, 0.0

    def wall(self):
        return 1_800_000_000 + self.steady + self.wrong


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sent():
    return []


@pytest.fixture
def start(tmp_path, clock, sent):
    """Starts a scheduler, once more if asked again."""

    def start_one():
        app = Celery(set_as_current=False, broker="memory://")
        app.now = lambda: datetime.fromtimestamp(clock.wall(), UTC)
        app.conf.beat_schedule = {
            "often": {"task": "often", "schedule": 5.0},
            "daily": {"task": "daily", "schedule": 24 * 3600.0},
            "follow-clock": {"task": "follow", "schedule": 3600.0},
        }
        app.send_task = lambda name, *args, **kwargs: sent.append(name)
        return Scheduler(app, schedule_filename=str(tmp_path / "notes"), wall=clock.wall, steady=lambda: clock.steady)

    return start_one


def passes(seconds, scheduler, clock):
    """As Celery does: tick, and sleep for as long as that says."""
    until = clock.steady + seconds
    while clock.steady < until:
        clock.steady += max(scheduler.tick(), 0.01)


def test_what_is_due_is_sent(start, clock, sent):
    passes(60, start(), clock)

    assert sent.count("often") in (11, 12)
    assert sent.count("follow") == 1, "the clock may have been set back before the start"
    assert "daily" not in sent


@pytest.mark.parametrize("wrong", [-30, -3600, -86400 * 365])
def test_a_clock_that_is_set_back_stops_nothing(wrong, start, clock, sent, caplog):
    scheduler = start()
    passes(3600 * 23, scheduler, clock)
    sent.clear()

    clock.wrong = wrong
    passes(60, scheduler, clock)

    assert sent.count("often") in (11, 12, 13)
    assert sent.count("follow") == 1
    assert "daily" not in sent
    assert "The clock was set back by" in caplog.text
    passes(3600, scheduler, clock)
    assert sent.count("daily") == 1


def test_a_clock_that_was_ahead_for_a_while_stops_nothing(start, clock, sent):
    scheduler = start()
    clock.wrong = 86400 * 30
    passes(60, scheduler, clock)
    sent.clear()

    clock.wrong = 0
    passes(60, scheduler, clock)

    assert sent.count("often") in (11, 12, 13)


def test_what_was_sent_is_remembered_by_the_next_one(start, clock, sent):
    first = start()
    passes(3600 * 20, first, clock)
    first.close()
    clock.steady += 3600 * 3
    second = start()
    passes(60, second, clock)
    assert "daily" not in sent

    passes(3600, second, clock)

    assert sent.count("daily") == 1


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_spoilt_notes_are_written_anew(spoilt, start, clock, sent, tmp_path):
    (tmp_path / "notes").write_bytes(spoilt)
    scheduler = start()
    passes(10, scheduler, clock)

    scheduler.close()

    assert sent.count("often") in (1, 2)
    assert (tmp_path / "notes").read_bytes().startswith(b'{"')


def test_notes_of_the_future_keep_nothing_back(start, clock, sent):
    clock.wrong = 86400.0 * 30
    start().close()
    clock.wrong = 0

    passes(60, start(), clock)

    assert sent.count("often") in (11, 12)


def test_notes_that_can_t_be_written_are_complained_of_once_and_stop_nothing(start, clock, sent, tmp_path, caplog):
    (tmp_path / "notes").mkdir()
    scheduler = start()

    scheduler.sync()
    scheduler.sync()
    passes(10, scheduler, clock)

    assert sent
    assert len(caplog.records) == 1
    assert f"can't be noted in {tmp_path / 'notes'}: Is a directory" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_a_message_that_can_t_be_sent_is_a_line_and_the_next_one_is_sent(start, clock, sent, caplog):
    scheduler = start()
    refused = []

    def refuse_the_first(name, *args, **kwargs):
        if not refused and name == "often":
            refused.append(name)
            raise OSError("No space left on device")
        sent.append(name)

    scheduler.app.send_task = refuse_the_first
    passes(12, scheduler, clock)

    assert sent == ["follow", "often"]
    (line,) = caplog.records
    assert line.getMessage() == (
        "Couldn't apply scheduled task often: No space left on device. It is sent again when it is due next."
    )
    assert line.exc_info is None


def test_times_beyond_all_calendars_say_nothing(start, clock, sent, tmp_path):
    (tmp_path / "notes").write_text('{"often": 1e300}')

    passes(10, start(), clock)

    assert sent
