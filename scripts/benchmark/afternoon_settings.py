"""As Django and Celery come: connections to the database are closed after each task, and so on."""

from scripts.benchmark import settings
from scripts.benchmark.settings import *  # noqa: F403

# Of what we have Celery do otherwise only this stays.
_SAME = {"CELERY_BROKER_URL", "CELERY_BROKER_TRANSPORT_OPTIONS", "CELERY_ACCEPT_CONTENT"}

for _name in [name for name in vars(settings) if name.startswith("CELERY_") and name not in _SAME]:
    del globals()[_name]

for _option in ("CONN_MAX_AGE", "CONN_HEALTH_CHECKS"):
    settings.DATABASES["default"].pop(_option)
