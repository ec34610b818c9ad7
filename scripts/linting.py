"""Everything that is checked without running a test."""

import os
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from scripts.locking import stale
from scripts.steps import ROOT, Look, Outcome, Result, Skip, Step, python, report, say

# It has no module to run with -m, and programs in .venv/bin break when the clone is moved.
RUN_IMPORT_LINTER = "from importlinter.cli import lint_imports_command as main; main()"
Check = Step | Look | Skip
# As in production: what `check --deploy` looks at follows from an https address.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "PUBLIC_URL": "https://latchkey.example.com",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "FERNET_KEYS": secrets.token_urlsafe(50),
    "DEBUG": "0",
    "SANDBOX": "0",
    # Named, so that what `manage.py up` left in var/ doesn't count; nothing connects to it.
    "DATABASE_URL": "postgres://latchkey@127.0.0.1/latchkey",
}
TESTS = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": "", "CELERY_BROKER_URL": ""}


def checks() -> Iterator[Check]:
    """The slowest first: two run at a time."""
    yield Step("types (mypy strict)", python("-m", "mypy", "."), TESTS)
    yield Step("style (ruff check)", python("-m", "ruff", "check", "."))
    yield Step("format (ruff format)", python("-m", "ruff", "format", "--check", "."))
    yield Step("import rules (import-linter)", python("-c", RUN_IMPORT_LINTER))
    yield Step("migrations are complete", python("manage.py", "makemigrations", "--check", "--dry-run"), TESTS)
    yield Step(
        "system checks (check --deploy)", python("manage.py", "check", "--deploy", "--fail-level=WARNING"), PRODUCTION
    )
    yield definitions("definitions in the catalogue", "connectors/catalogue/*.yaml")
    yield definitions("definitions in the examples", "docs/**/*.yaml")
    yield Look("lock file matches pyproject.toml", lambda: stale(ROOT / "pyproject.toml", ROOT / "requirements.lock"))


def definitions(name: str, pattern: str) -> Check:
    """One set of documents; the catalogue and the examples may hold the same connector."""
    files = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))
    if not files:
        return Skip(name, f"nothing matches {pattern}", "Write a definition there.")
    return Step(name, python("manage.py", "connectors", "check", *files), TESTS)


def run() -> list[Outcome]:
    """Run all of it, and report each as it ends."""
    outcomes = []
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for future in [pool.submit(check.run) for check in checks()]:
            outcomes.append(future.result())
            report(outcomes[-1])
    return outcomes


def main() -> None:
    failed = [outcome.name for outcome in run() if outcome.result is Result.FAILED]
    say(f"\nFailed: {', '.join(failed)}" if failed else "\nAll of it is in order.")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
