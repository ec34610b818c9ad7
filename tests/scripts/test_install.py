"""What `scripts/install.py` does with environments that are there already; nothing here asks an index."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "scripts").mkdir()
    for name in ("install.py", "installed.py"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    (tmp_path / "requirements.lock").write_text("packaging==1.0 ; python_version < '3' --hash=sha256:00\n")
    return tmp_path


def install(clone, **more):
    # No index: whatever would be installed fails, and loudly.
    environment = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null", **more}
    command = [sys._base_executable, "scripts/install.py"]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False, timeout=120)


def made_by_another_tool(folder):
    subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "packaging").mkdir()
    (packages / "packaging" / "__init__.py").touch()
    source = "class Requirement:\n    marker = None\n    def __init__(self, text): self.name = self.specifier = None\n"
    (packages / "packaging" / "requirements.py").write_text(source)


def test_an_environment_is_made_once_and_again_when_that_was_interrupted(clone):
    first = install(clone)
    marks = clone / ".venv" / "half-a-package"
    marks.touch()

    second = install(clone)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "Making .venv" in first.stderr
    assert second.stderr == ""
    assert marks.exists()

    (clone / ".venv" / ".installed-lock").write_text("installing")
    third = install(clone)

    assert third.returncode == 0, third.stderr
    assert not marks.exists()


def test_an_environment_whose_making_was_interrupted_is_made_anew(clone, tmp_path):
    stopped = (
        "import os, pathlib, shutil\n"
        "def create(folder, *, clear=False, **options):\n"
        "    if clear:\n"
        "        shutil.rmtree(folder)\n"
        "        os.mkdir(folder)\n"
        "    pathlib.Path(folder, 'half-made').touch()\n"
        "    raise KeyboardInterrupt\n"
    )
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "venv.py").write_text(stopped)

    first = install(clone, PYTHONPATH=str(tmp_path / "elsewhere"))
    second = install(clone)
    third = install(clone)

    assert "Stopped. Run this again to go on." in first.stderr
    assert (second.returncode, second.stderr.count("Making .venv")) == (0, 1), second.stderr
    assert (clone / ".venv" / "bin" / "pip").exists()
    assert not (clone / ".venv" / "half-made").exists()
    assert (third.returncode, third.stderr) == (0, "")


def test_a_broken_environment_of_another_tool_is_left_alone(clone):
    (clone / ".venv").mkdir()
    (clone / ".venv" / "theirs").touch()

    refused = install(clone)

    assert refused.returncode == 1
    assert "wasn't made by these scripts" in refused.stderr
    assert [path.name for path in (clone / ".venv").iterdir()] == ["theirs"]


def test_a_link_to_an_environment_that_holds_everything_is_used_as_it_is(clone, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "venv"
    (clone / "requirements.lock").write_text("")
    made_by_another_tool(elsewhere)
    (clone / ".venv").symlink_to(elsewhere)
    before = sorted(elsewhere.iterdir())

    done = install(clone)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (clone / ".venv").is_symlink()
    assert sorted(elsewhere.iterdir()) == before


def test_a_failed_installation_shows_pips_last_words(clone):
    (clone / "requirements.lock").write_text("nonesuch==1.0 --hash=sha256:" + 64 * "0" + "\n")

    failed = install(clone)

    assert failed.returncode == 1
    assert "Installing failed" in failed.stderr
    assert "nonesuch" in failed.stderr
