"""A wheel holds all that the platform needs to run: modules, migrations, templates, static files, the catalogue."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

pytest.importorskip("setuptools", reason="the build backend is not installed")

ROOT = Path(__file__).parents[2]
SHIPPED = ("config", "connectors", "integrations", "templates", "tenants")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def files(root):
    found = {path for name in SHIPPED for path in (root / name).rglob("*") if path.is_file()}
    return {str(path.relative_to(root)) for path in found if path.suffix != ".pyc"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(target)], cwd=source, capture_output=True, text=True, timeout=120, check=False
    )
    assert built.returncode == 0, built.stderr
    with ZipFile(next(target.glob("*.whl"))) as opened:
        yield set(opened.namelist())


def test_every_file_of_the_packages_is_in_it(wheel):
    assert sorted(files(ROOT) - wheel) == []


def test_nothing_else_is_in_it(wheel):
    name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]

    assert {path.split("/")[0].partition("-")[0] for path in wheel} == {*SHIPPED, name}
