"""The real parts that tests run against: given from outside, or started here for as long as they are needed."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from scripts.steps import say
from tests.services import browser
from tests.services.postgres import REMEDY as INSTALL_POSTGRES
from tests.services.postgres import postgres
from tests.services.process import CannotStart
from tests.services.redis import REMEDY as INSTALL_REDIS
from tests.services.redis import redis

EMBEDDED = {"DATABASE_URL": "", "CELERY_BROKER_URL": ""}


@dataclass
class Missing(Exception):
    """A part that can't be had here."""

    reason: str
    remedy: str


@dataclass(frozen=True)
class _Part:
    title: str
    setting: str
    schemes: tuple[str, ...]
    start: Callable[[], AbstractContextManager[str]]
    remedy: str

    def take(self, stack: ExitStack) -> str:
        """The address of the given part, else of one started on the stack; raises Missing."""
        given = os.environ.get(self.setting, "")
        if given.startswith(self.schemes):
            say(f"{self.title}: the one in {self.setting}")
            return given
        try:
            return stack.enter_context(self.start())
        except (CannotStart, OSError) as error:
            raise Missing(f"{self.title} can't be started: {error}", self.remedy) from error


PARTS = (
    _Part("PostgreSQL", "DATABASE_URL", ("postgres://", "postgresql://"), postgres, INSTALL_POSTGRES),
    _Part("Redis", "CELERY_BROKER_URL", ("redis://", "rediss://"), redis, INSTALL_REDIS),
)


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis, as settings for the environment. Raises Missing; stops what it started."""
    with ExitStack() as stack:
        yield {part.setting: part.take(stack) for part in PARTS}


def browser_settings() -> dict[str, str]:
    """The browser to drive, installed now if that is possible; without one, its tests say so themselves."""
    found = browser.find()
    if not found and browser.is_installable():
        say("No browser is installed; installing Debian's Chromium …")
        found = browser.install()
    return {"BROWSER_EXECUTABLE": found or ""}
