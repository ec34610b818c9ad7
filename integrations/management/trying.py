"""`manage.py connectors try`: one exchange from the shell, and all that was sent and got. Nothing is stored."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone

from connectors.oauth2 import definition
from connectors.oauth2.alternatives import worth_trying
from connectors.oauth2.curl import curl
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.method import Method
from connectors.oauth2.problems import did_you_mean
from connectors.oauth2.trial import first_request
from connectors.oauth2.values import resolve
from connectors.trials import try_alternatives, try_method
from integrations.importing import is_migrated
from integrations.management.given_values import STDIN, BadValue, Terminal, add_arguments, given_values, reads_of_stdin
from integrations.management.trial_text import lines_of, lines_of_search

WORDS = "Try a method of a file with values that are not stored, and show all that is sent and got."


class CantTry(Exception):
    """There is nothing to try with; the message says what to do."""


def add_try(parser: ArgumentParser) -> None:
    parser.add_argument("names", nargs=1, metavar="FILE", help="A YAML file; - reads from standard input.")
    parser.add_argument("--method", metavar="KEY", help="The authentication method; may be left out if there is one.")
    parser.add_argument("--connector", metavar="KEY", help="The connector, where the file holds several.")
    add_arguments(parser)
    parser.add_argument("--curl", action="store_true", help="Print the request as cURL too, its secrets covered.")
    parser.add_argument(
        "--show-secrets", action="store_true", help="With --curl: print it whole, with its secrets. Nothing is sent."
    )
    parser.add_argument(
        "--alternatives", action="store_true", help="If it fails, try the other ways to send the request in turn."
    )
    parser.add_argument(
        "--yes", action="store_true", help="Ask for a token although that kills the one in use (invalidates_previous)."
    )


def refuse_two_readers(name: str, files: Sequence[str]) -> None:
    """Raise `CantTry` where the document and a value, or two values, are to come from standard input."""
    if (name == STDIN) + reads_of_stdin(files) > 1:
        raise CantTry("Standard input can be read only once. Name a file for all but one of those that are “-”.")


def chosen_method(connectors: Sequence[definition.Connector], connector: str | None, method: str | None) -> Method:
    """The method that is meant. Raises `CantTry` where that isn't clear."""
    by_key = {one.key: one for one in connectors}
    if connector is None and len(by_key) > 1 and method is not None:
        having = [one for one in connectors if method in {its.key for its in one.auth_methods}]
        connector = having[0].key if len(having) == 1 else None
    one = by_key[_chosen("connector", connector, by_key)]
    methods = {its.key: its for its in one.auth_methods}
    return Method(one, methods[_chosen("method", method, methods)])


def _chosen(what: str, wanted: str | None, known: dict[str, Any]) -> str:
    if not known:
        remedy = "Name one that holds a document of `kind: connector`."
        raise CantTry(f"The file holds no {what}. {remedy if what == 'connector' else 'Add one to `auth_methods`.'}")
    if wanted is None:
        if len(known) > 1:
            raise CantTry(f"The file holds several {what}s: choose one with --{what}. {did_you_mean('', known)}")
        return next(iter(known))
    if wanted not in known:
        raise CantTry(f"The file holds no {what} {wanted}. {did_you_mean(wanted, known)}")
    return wanted


def run_trial(
    method: Method, options: dict[str, Any], *, terminal: Terminal | None = None
) -> tuple[bool, Iterator[str]]:
    """Whether it worked, and what to print. Raises `CantTry`."""
    operator = _operator(method)
    try:
        given = given_values(
            method,
            values=options["values"],
            files=options["files"],
            names=options["names_of_environment"],
            operator=operator,
            terminal=terminal or Terminal.of_process(),
        )
    except BadValue as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        raise CantTry(refused)
    if options["show_secrets"] and not options["curl"]:
        raise CantTry("--show-secrets goes with --curl: nothing else is ever shown with its secrets.")
    if options["show_secrets"]:
        return True, iter([_whole(method, given, operator)])
    if method.definition.refresh.invalidates_previous and not options["yes"]:
        raise CantTry(
            "Nothing was sent. With this method a new token kills the old one: trying takes the token away from "
            "whatever uses the same client now. Add --yes to ask for one all the same."
        )
    return _tried(method, given, operator, options)


def _tried(
    method: Method, given: dict[str, str], operator: dict[str, str], options: dict[str, Any]
) -> tuple[bool, Iterator[str]]:
    # Without a database nothing has been counted, and there is nowhere to count.
    extra: dict[str, Any] = {} if is_migrated() else {"announce": lambda **named: None}
    trial = try_method(method, given, operator, **extra)
    others = worth_trying(trial)
    search = try_alternatives(trial, given, operator, **extra) if options["alternatives"] and others else None
    final = search.found.trial if search is not None and search.found is not None else trial
    printed = [*lines_of(final, with_curl=options["curl"])]
    if search is not None:
        printed += lines_of_search(search)
    elif others:
        printed += ["", f"The cause may be how the request is sent: --alternatives tries {len(others)} other ways."]
    budget = method.definition.refresh.max_requests
    if budget:
        printed += ["", f"The provider takes {budget} token requests for each client; this counted as one."]
    return final.is_fine, iter(printed)


def _operator(method: Method) -> dict[str, str]:
    """The operator's values that the environment holds; those typed in the admin belong to stored definitions."""
    return {
        variable.key: os.environ[variable.default_from_env]
        for variable in method.variables
        if variable.default_from_env and variable.default_from_env in os.environ
    }


def _whole(method: Method, given: dict[str, str], operator: dict[str, str]) -> str:
    rendering = resolve(method, given, operator, now=timezone.now())
    try:
        return curl(first_request(method, rendering), marker=None)
    except LatchkeyError as error:
        refused = str(error)
    raise CantTry(refused)
