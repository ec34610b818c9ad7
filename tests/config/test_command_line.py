"""`manage.py` where what it writes goes to something other than a patient terminal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")


def schema(tmp_path, output):
    """`connectors schema`, which needs no database, with its output sent there."""
    keys = {"SECRET_KEY": "s" * 50 + "ecret7", "FERNET_KEYS": "k" * 40 + "ey42"}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "connectors", "schema"],
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), **keys},
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_reader_who_has_enough_ends_a_command_without_a_word(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "w") as output:
        done = schema(tmp_path, output)

    assert (done.returncode, done.stderr) == (141, "")  # as sh says of a program that SIGPIPE ended


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_and_no_success(tmp_path):
    with FULL.open("w") as output:
        done = schema(tmp_path, output)

    assert done.returncode == 1
    assert done.stderr == "What this command wrote is not whole: No space left on device.\n"
