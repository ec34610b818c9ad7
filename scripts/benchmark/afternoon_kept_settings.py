"""As `afternoon_settings`, but for connections to the database, which are kept open."""

from scripts.benchmark.afternoon_settings import *  # noqa: F403
from scripts.benchmark.afternoon_settings import DATABASES

DATABASES["default"]["CONN_MAX_AGE"] = 3600
CELERY_DB_REUSE_MAX = 1_000_000  # tasks
