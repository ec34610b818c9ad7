"""How gunicorn serves the site: `gunicorn -c python:config.gunicorn_settings config.wsgi`."""

from config.logs import logging_config
from config.settings import LOG_FORMAT

worker_class = "gthread"
workers = 2
threads = 8
timeout = 60  # seconds
graceful_timeout = 8  # seconds
logconfig_dict = logging_config(also=("gunicorn.error",), form=LOG_FORMAT)
