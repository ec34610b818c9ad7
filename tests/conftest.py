"""What every test stands on."""

import shutil

import hypothesis
from django.conf import settings

from config import folders

# A busy machine makes an example slow without making it wrong.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")


def pytest_configure():
    folders.make_all()


def pytest_unconfigure():
    shutil.rmtree(settings.VAR_DIR, ignore_errors=True)
