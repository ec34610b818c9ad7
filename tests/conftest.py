"""What every test stands on."""

import gc
import shutil

import hypothesis
from django.conf import settings

from config import folders

# A busy machine makes an example slow without making it wrong.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

# Marks of our own, which nothing but a test's own file gives it.
OURS = ("both_databases", "browser", "faults", "interop")


def pytest_configure():
    folders.make_all()
    gc.disable()


def pytest_collection_finish():
    # What was read until here stays until the end; to look through it again and again took each process seconds.
    gc.freeze()
    gc.enable()


def pytest_unconfigure():
    shutil.rmtree(settings.VAR_DIR, ignore_errors=True)


def pytest_ignore_collect(collection_path, config):
    """Leave files unread that hold nothing of what is asked for: a quarter of a run on PostgreSQL was reading them."""
    wanted = config.getoption("markexpr")
    if wanted not in OURS or not collection_path.is_file():
        return None
    return True if f"mark.{wanted}" not in collection_path.read_text() else None


def pytest_collection_modifyitems(config, items):
    """Leave out what only PostgreSQL can get wrong: the run on PostgreSQL (see `scripts/test`) has it."""
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        return
    left_out = [item for item in items if item.get_closest_marker("postgresql_only")]
    items[:] = [item for item in items if item not in left_out]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
