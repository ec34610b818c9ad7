"""Limits are of a process: each test asks another one."""

import subprocess
import sys
from pathlib import Path

import pytest

from config import open_files

ROOT = Path(__file__).parents[2]
ASK = """
import resource
from config import open_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({now}, {most}))
print(open_files.allow_many())
"""


def allowed(now, most):
    asked = subprocess.run(
        [sys.executable, "-c", ASK.format(now=now, most=most)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(asked.stdout)


@pytest.mark.parametrize(("now", "most", "then"), [(64, 900, 900), (200, 200, 200), (900, 900, 900)])
def test_as_many_files_as_are_wanted_and_allowed(now, most, then):
    assert allowed(now, most) == then


def test_too_few_are_warned_of_with_what_helps():
    assert "Only 64 files" in open_files.warning(64)
    assert "ulimit -n" in open_files.warning(64)
    assert open_files.warning(1024) == ""
