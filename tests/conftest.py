"""What every test stands on."""

import shutil

from django.conf import settings

from config import folders


def pytest_configure():
    folders.make_all()


def pytest_unconfigure():
    shutil.rmtree(settings.VAR_DIR, ignore_errors=True)
