"""What `manage.py up` leaves in VAR_DIR for other commands."""

import pytest

from config import embedded

SPOILT = {"nothing": b"", "half": b'{"SANDBOX": ', "no text": b"\xff\xfe", "a list": b"[]", "zeros": b"\0" * 40}


def test_what_was_decided_is_read(tmp_path):
    (tmp_path / "up.json").write_text('{"SANDBOX": "1"}')

    assert embedded.left(tmp_path / "up.json") == {"SANDBOX": "1"}


def test_where_nothing_was_left_nothing_was_decided(tmp_path):
    assert embedded.left(tmp_path / "up.json") == {}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_what_a_crash_cut_short_counts_for_nothing(spoilt, tmp_path):
    (tmp_path / "up.json").write_bytes(spoilt)

    assert embedded.left(tmp_path / "up.json") == {}
