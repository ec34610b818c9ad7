"""The WSGI application: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from config import folders, keys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
keys.require()
folders.make_all()
application = get_wsgi_application()
