"""Start what measuring needs, measure within a bounded time, and clear up."""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.benchmark import documents
from scripts.benchmark.authority import Papers, papers
from scripts.benchmark.surroundings import VARIABLE, Surroundings
from scripts.parts import Missing, servers
from scripts.steps import ROOT, say
from scripts.testing import run_to_end, unwind_when_told

MEASURE = "import django, sys; django.setup(); from scripts.benchmark.measuring import main; main(sys.argv[1:])"
FULL_SECONDS, QUICK_SECONDS, DAY_SECONDS = 540, 60, 3600  # starting and stopping take the rest


def main() -> None:
    unwind_when_told()
    options, further = _options(sys.argv[1:])
    if options.write_docs and (refused := documents.unwritable(ROOT / "docs")):
        sys.exit(
            f"{refused} can't be written, so nothing was measured. Mend its permissions, or leave --write-docs out."
        )
    try:
        with (
            tempfile.TemporaryDirectory(prefix="latchkey-bench-") as folder,
            servers() as addresses,
            _token_server(made := papers(Path(folder))) as ports,
        ):
            around = Surroundings(ports["http"], ports["https"])
            environment = {**addresses, **_settings(Path(folder), made), VARIABLE: around.as_variable()}
            sys.exit(run_to_end([sys.executable, "-c", MEASURE, *_told(options), *further], environment))
    except Missing as missing:
        sys.exit(f"Nothing can be measured: {missing.reason}. {missing.remedy}")


def _options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure renewals and reads against others'.")
    parser.add_argument("--quick", action="store_true", help="a run of about a minute, with figures to match")
    parser.add_argument("--tiny", action="store_true", help="only see that everything runs: the figures mean nothing")
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmarks.md and its picture")
    parser.add_argument("--plans", action="store_true", help="show the query plans of due scan and claim as well")
    parser.add_argument(
        "--day",
        type=_instances,
        nargs="?",
        const=20_000,
        default=0,
        metavar="INSTANCES",
        help="instead, simulate a day of so many instances with hourly tokens (20,000)",
    )
    return parser.parse_args(arguments), []


def _instances(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of instances. Write one, such as 20000.")
    return int(text)


def _told(options: argparse.Namespace) -> Iterator[str]:
    yield f"--budget={'tiny' if options.tiny else 'quick' if options.quick else 'full'}"
    yield f"--seconds={DAY_SECONDS if options.day else QUICK_SECONDS if options.quick else FULL_SECONDS}"
    yield f"--day={options.day}"
    yield from (flag for flag, is_set in (("--write-docs", options.write_docs), ("--plans", options.plans)) if is_set)


def _settings(folder: Path, made: Papers) -> Mapping[str, str]:
    """As in production, with secrets of its own: neither .env nor what `manage.py up` left behind counts."""
    return {
        "DJANGO_SETTINGS_MODULE": "scripts.benchmark.settings",
        "VAR_DIR": str(folder / "var"),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FERNET_KEYS": secrets.token_urlsafe(50),
        "DEBUG": "0",
        "SANDBOX": "0",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "127.0.0.1",
        "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
        "OUTBOUND_CA_FILE": str(made.authority),
        "OAUTHLIB_INSECURE_TRANSPORT": "1",  # requests-oauthlib refuses http without it
        # What requests trusts when it is told nothing.
        "REQUESTS_CA_BUNDLE": str(made.bundle),
        # What the machine needs to reach others stays out of the way to a server on loopback. Not by a no_proxy of our
        # own: with one requests spares itself the search for proxies, a sixth of the loop that all is compared with.
        **dict.fromkeys((name for name in os.environ if name.lower().endswith("_proxy")), ""),
    }


@contextmanager
def _token_server(made: Papers) -> Iterator[Mapping[str, int]]:
    command = [sys.executable, "-m", "scripts.benchmark.token_server", str(made.certificate), str(made.key)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 -- for the type checker
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        say("\nStopped before the end.")
        sys.exit(1)
