"""What the `connectors` command does before there is a database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


def connectors(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"VAR_DIR": str(folder / "none"), "SECRET_KEY": "s" * 50 + "ecret7", "FERNET_KEYS": "k" * 40 + "ey42"}
    return subprocess.run(
        [sys.executable, "manage.py", "connectors", *arguments],
        cwd=TOP,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_files_are_checked_without_a_database(tmp_path: Path) -> None:
    done = connectors(tmp_path, "check", "docs/examples/zoom.yaml")

    assert done.returncode == 0, done.stderr
    assert "nothing is wrong" in done.stdout


@pytest.mark.parametrize("arguments", [["import", "docs/examples/zoom.yaml"], ["export"]])
def test_what_needs_a_database_says_so(tmp_path: Path, arguments: list[str]) -> None:
    done = connectors(tmp_path, *arguments)

    assert done.returncode == 1
    assert done.stderr.strip() == (
        "CommandError: There is no database yet. Run scripts/run, or manage.py migrate, once."
    )
