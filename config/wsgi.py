"""The WSGI application: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from config import folders, keys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
keys.require()
folders.make_all()
application = get_wsgi_application()

# Only now: models can't be imported before all apps are there.
from config.operations.housekeeping import Housekeeper, keep_counts  # noqa: E402

Housekeeper(keep_counts).start()
