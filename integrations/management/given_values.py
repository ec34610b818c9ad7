"""Values for a method from the command line: as they are, from files, from the environment, or typed when asked."""

import getpass
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.oauth2.definition import Variable
from connectors.oauth2.method import Method
from connectors.oauth2.problems import did_you_mean

STDIN = "-"
Ask = Callable[[str], str]


class BadValue(ValueError):
    """A value that can't be had; the message says why, and never what it is."""


@dataclass(frozen=True)
class Terminal:
    """Who can be asked for what is missing: nobody, if `is_there` is False."""

    is_there: bool
    ask: Ask = input
    ask_secret: Ask = getpass.getpass

    @classmethod
    def of_process(cls) -> "Terminal":
        return cls(sys.stdin.isatty())


def add_arguments(parser: ArgumentParser) -> None:
    pair = {"action": "append", "default": [], "metavar": "NAME=VALUE"}
    parser.add_argument("--set", dest="values", help="A variable's value; may be repeated.", **pair)  # type: ignore[arg-type]
    parser.add_argument(
        "--set-file",
        dest="files",
        help="A variable's value from a file (- is standard input), so that no secret stands in the shell's history.",
        **{**pair, "metavar": "NAME=PATH"},  # type: ignore[arg-type]
    )
    parser.add_argument(
        "--set-env",
        dest="names_of_environment",
        help="A variable's value from the environment.",
        **{**pair, "metavar": "NAME=VARIABLE"},  # type: ignore[arg-type]
    )


def given_values(
    method: Method,
    *,
    values: Sequence[str],
    files: Sequence[str],
    names: Sequence[str],
    operator: Mapping[str, str],
    terminal: Terminal,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Every value that was given. What is required and lacks one is asked for on a terminal. Raises `BadValue`."""
    given = {}
    for source, read in ((values, str), (files, _read_file), (names, lambda name: _read_environment(name, environ))):
        for pair in source:
            key, value = _pair(method, pair)
            given[key] = read(value)
    lacking = _lacking(method, given, operator)
    if lacking and not terminal.is_there:
        raise BadValue(_how_to_give(lacking))
    for variable in lacking:
        given[variable.key] = (terminal.ask_secret if variable.secret else terminal.ask)(f"{variable.title}: ")
    return given


def _how_to_give(lacking: Sequence[Variable]) -> str:
    titles = " and ".join(variable.title for variable in lacking)
    ways = " ".join(f"--set-file {one.key}=PATH" if one.secret else f"--set {one.key}=VALUE" for one in lacking)
    return f"Nothing was sent: {titles} {'has' if len(lacking) == 1 else 'have'} no value. Add {ways}"


def reads_of_stdin(files: Sequence[str]) -> int:
    """How many values are to come from standard input, which can be read once."""
    return sum(pair.partition("=")[2] == STDIN for pair in files)


def _pair(method: Method, pair: str) -> tuple[str, str]:
    key, separator, value = pair.partition("=")
    if not separator or not key:
        # The word may be a secret whose name was forgotten.
        wrong = "no name before the “=”" if separator else "no “=”"
        raise BadValue(f"A value is given as NAME=VALUE, such as --set client_id=AbC. One of them has {wrong}.")
    if key not in method.by_key:
        raise BadValue(f"There is no variable {key[:64]}. {did_you_mean(key, [one.key for one in method.asked])}")
    return key, value


def _lacking(method: Method, given: Mapping[str, str], operator: Mapping[str, str]) -> list[Variable]:
    return [
        variable
        for variable in method.asked
        if variable.required and not (given.get(variable.key) or operator.get(variable.key) or variable.default)
    ]


def _read_file(name: str) -> str:
    try:
        text = sys.stdin.read() if name == STDIN else Path(name).read_text()
    except (OSError, UnicodeDecodeError):
        text = None
    if text is None:
        raise BadValue(f"The file “{name}” can't be read. Check its name and its permissions.")
    # What a shell or an editor writes ends in a line break, which is not part of a secret.
    return text.rstrip("\r\n")


def _read_environment(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise BadValue(f"The environment has no variable {name}.")
    return environ[name]
