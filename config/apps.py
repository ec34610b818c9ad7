from django.apps import AppConfig

from config import celery, checks


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Configuration"

    # Tasks are queued on the Celery app that was made last; importing it here makes it ours in every process.
    celery = celery.app

    def ready(self) -> None:
        checks.register()
