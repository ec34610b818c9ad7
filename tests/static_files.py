"""The site's own middleware for static files, which looks for them once in a process."""

from typing import Any

from config.middleware import StaticFilesMiddleware


class FoundOnce(StaticFilesMiddleware):
    """A web server makes its middleware once; each test's client makes it anew, and spent 20 ms on finding files."""

    files: dict[str, Any]
    found: dict[tuple[str, int], dict[str, Any]] = {}  # noqa: RUF012 - shared: that is the point

    def add_files_from_finders(self) -> None:
        settings = (self.static_prefix, self.max_age)
        if settings not in self.found:
            super().add_files_from_finders()
            self.found[settings] = self.files
        self.files = self.found[settings]
