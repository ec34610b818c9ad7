from importlib import import_module

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "config.operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # They read models, which can't be imported before all apps are there.
        import_module("config.operations.receivers")
