"""The ASGI application."""

import os

from django.core.asgi import get_asgi_application

from config import folders, keys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
keys.require()
folders.make_all()
application = get_asgi_application()
