"""The real settings, with one address more: a constant answer to compare with."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "scripts.benchmark.urls"
