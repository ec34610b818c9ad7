from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured

from config.checks import sandbox_stays_at_home


class SandboxConfig(AppConfig):
    """An authorization server to try things with. Installed only where `SANDBOX` is on."""

    name = "config.sandbox"
    label = "sandbox"
    verbose_name = "Sandbox"

    def ready(self) -> None:
        # The system check says the same, but a web server and a worker start without asking the checks.
        for problem in sandbox_stays_at_home(None):
            raise ImproperlyConfigured(f"{problem.msg} {problem.hint}")
