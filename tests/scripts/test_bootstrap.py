"""What `scripts/run` and its like hand to Python, from wherever they are called and whatever the shell exports."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands in for manage.py: it tells how it was started.
TELLS = """
import json, os, sys
print(json.dumps({"folder": os.getcwd(), "arguments": sys.argv[1:], "environment": dict(os.environ)}))
"""
INSTALLS = """
import os, sys
os.makedirs(".venv/bin", exist_ok=True)
open(".venv/bin/python", "w").write(f'#!/bin/sh\\nexec {sys.executable} "$@"\\n')
os.chmod(".venv/bin/python", 0o755)
"""


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / 'Ümläut\'s "clone" $HOME'
    (folder / "scripts").mkdir(parents=True)
    for name in ("run", "bootstrap.sh"):
        shutil.copy(ROOT / "scripts" / name, folder / "scripts")
    (folder / "scripts" / "install.py").write_text(INSTALLS)
    (folder / "manage.py").write_text(TELLS)
    return folder


def told(command, **environment):
    done = subprocess.run(
        [command, "--port", "8001"],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHON": sys._base_executable, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_script_is_called_from_any_folder_and_its_arguments_are_passed_on(clone):
    assert told(clone / "scripts" / "run")["arguments"] == ["up", "--port", "8001"]
    assert told(clone / "scripts" / "run")["folder"] == str(clone)


def test_a_script_is_called_through_links_to_it(clone, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "first").symlink_to(clone / "scripts" / "run")
    (tmp_path / "bin" / "latchkey").symlink_to("../first")

    assert told(tmp_path / "bin" / "latchkey")["folder"] == str(clone)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DJANGO_SETTINGS_MODULE", "another.project.settings"),
        ("PYTHONPATH", "/another/project"),
        ("PYTHONHOME", "/nowhere"),
        ("PYTHONSAFEPATH", "1"),
    ],
)
def test_what_the_shell_exports_for_another_project_counts_for_nothing(clone, name, value):
    assert name not in told(clone / "scripts" / "run", **{name: value})["environment"]


def test_text_is_utf_8_whatever_the_locale_unless_somebody_says_otherwise(clone):
    assert told(clone / "scripts" / "run", LC_ALL="C")["environment"]["PYTHONUTF8"] == "1"
    assert told(clone / "scripts" / "run", PYTHONUTF8="0")["environment"]["PYTHONUTF8"] == "0"
