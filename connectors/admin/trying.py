"""“Try it”: the method as it stands on its page, saved or not, tried with values that are typed for the moment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.forms import BaseFormSet
from django.http import HttpRequest
from django.utils import timezone

from connectors.admin.checking import as_edited, sentence
from connectors.admin.method_form import AddMethodForm, MethodForm, supplied_variables
from connectors.admin.try_fields import TryField, Typed, everything_typed, fields_of_trial, read_typed, values_given
from connectors.definitions import Definition
from connectors.models import AuthMethod, Variable
from connectors.oauth2.alternatives import Alternative, worth_trying
from connectors.oauth2.curl import curl
from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from connectors.oauth2.marking import Marker, known_of
from connectors.oauth2.method import Method
from connectors.oauth2.parameters import CONTENT_TYPES
from connectors.oauth2.report import Report, refused, report_on
from connectors.oauth2.trial import first_request
from connectors.oauth2.values import resolve
from connectors.sealing import seal, unseal
from connectors.trials import Search, try_alternatives, try_method

_HEADER_ROW = re.compile(r"headers-([0-9]{1,6})-name")
BUTTON = "_try"
SEALED = "try_sealed"
CONFIRMED = "try_confirmed"


@dataclass(frozen=True)
class Bench:
    """What the page shows of trying. Nothing in it but `sealed`, which is encrypted, and `whole` is secret."""

    fields: Sequence[TryField] = ()
    sealed: str = field(default="", repr=False)
    warning: str = ""
    budget: str = ""
    is_confirmed: bool = False
    problems: Sequence[str] = ()
    report: Report | None = None
    offered: int = 0
    search: Search | None = None
    whole: str = field(default="", repr=False)
    whole_note: str = ""
    is_filled_in: bool = False

    @property
    def taken(self) -> Alternative | None:
        return self.search.found.alternative if self.search is not None and self.search.found is not None else None

    @property
    def has_ended(self) -> bool:
        return bool(self.report or self.problems or self.whole)


class TriedMethodForm(MethodForm):
    """The form of a method that is only tried: looked at like any other, and never saved."""

    def is_valid(self) -> bool:
        super().is_valid()
        return False


class TriedAddMethodForm(AddMethodForm):
    """The same for a method that is being added."""

    def is_valid(self) -> bool:
        super().is_valid()
        return False


@dataclass(frozen=True)
class Edited:
    """The method as its page has it. `method` None: it is no good definition, for `problems`."""

    row: AuthMethod
    variables: Sequence[Variable]
    method: Method | None
    problems: Sequence[str]

    def operator(self) -> dict[str, str]:
        if self.method is None:
            return {}
        rows = [*self.row.connector.variables.all(), *self.variables]
        typed = {row.key: row.operator_value for row in rows if row.operator_value}
        return Definition(self.method, typed).operator_values()


def edited(context: Mapping[str, Any]) -> Edited:
    """The method in the context of its page: as posted if it was, else as stored."""
    form = context["adminform"].form
    formsets: list[BaseFormSet[Any]] = [one.formset for one in context["inline_admin_formsets"]]
    row: AuthMethod = form.instance
    if form.is_bound and (form.errors or any(not formset_is_good(one) for one in formsets)):
        return Edited(row, (), None, ("What is marked on this page must be mended first.",))
    if row.pk is None and not form.is_bound:
        return Edited(row, (), None, ())  # nothing is known of it yet, its connector neither
    rows = list(row.variables.all()) if row.pk else supplied_variables(row)
    if form.is_bound and formsets:
        rows = [one.instance for one in formsets[0].rows()]  # type: ignore[attr-defined]  # (VariableFormSet's)
    method, problems = as_edited(row, rows)
    return Edited(row, rows, method, tuple(sentence(problem) for problem in problems))


def formset_is_good(formset: Any) -> bool:
    return not formset.is_bound or not (any(formset.errors) or formset.non_form_errors())


def bench_for(request: HttpRequest, context: Mapping[str, Any]) -> Bench:
    """The panel of the page: filled in, and tried if that was asked for."""
    state = edited(context)
    posted = request.POST
    if state.method is None:
        return _unusable(request, state)
    method, operator = state.method, state.operator()
    typed = None
    if request.method == "POST":
        kept = unseal(posted.get(SEALED, ""), owner=_owner(request, state.row), now=timezone.now())
        typed = read_typed(posted.dict(), method.by_key, method.secret_keys, kept)
    bench = _prepared(request, state.row, method, typed, operator)
    if typed is None or BUTTON not in posted:
        return bench
    given = values_given(method, typed, operator)
    if posted[BUTTON] == "curl":
        return _whole(bench, method, given, operator)
    if bench.warning and not bench.is_confirmed:
        return replace(bench, report=refused(_unconfirmed()))
    return _tried(bench, method, given, operator, wants_others=posted[BUTTON] == "alternatives")


def _owner(request: HttpRequest, row: AuthMethod) -> str:
    return f"try {row.pk} {request.user.pk} {request.session.session_key}"


def _unusable(request: HttpRequest, state: Edited) -> Bench:
    """Nothing is sent. All that was typed is sealed: what of it is secret can't be told now."""
    owner, now = _owner(request, state.row), timezone.now()
    kept = {**unseal(request.POST.get(SEALED, ""), owner=owner, now=now), **everything_typed(request.POST.dict())}
    return Bench(sealed=seal(kept, owner=owner, now=now), problems=state.problems)


def _prepared(
    request: HttpRequest, row: AuthMethod, method: Method, typed: Typed | None, operator: Mapping[str, str]
) -> Bench:
    refresh = method.definition.refresh
    secrets = typed.secret if typed is not None else {}
    return Bench(
        fields=fields_of_trial(method, typed, operator, {}),
        sealed=seal(secrets, owner=_owner(request, row), now=timezone.now()),
        warning=_KILLS if refresh.invalidates_previous else "",
        budget=refresh.max_requests or "",
        is_confirmed=CONFIRMED in request.POST,
    )


_KILLS = (
    "A new token kills the old one: trying this client takes the token away from whatever uses the same client now."
)


def _unconfirmed() -> ValidationFailed:
    return ValidationFailed(
        "Nothing was sent yet.",
        "With this method a new token kills the old one.",
        "Tick the box if no one depends on the present token of this client, and try again.",
    )


def _tried(
    bench: Bench, method: Method, given: Mapping[str, str], operator: Mapping[str, str], *, wants_others: bool
) -> Bench:
    trial = try_method(method, given, operator)
    search = try_alternatives(trial, given, operator) if wants_others and worth_trying(trial) else None
    final = search.found.trial if search is not None and search.found is not None else trial
    errors = final.error.fields if isinstance(final.error, ValidationFailed) else {}
    return replace(
        bench,
        fields=[replace(one, error=errors.get(one.key, "")) for one in bench.fields],
        report=report_on(final),
        offered=0 if search is not None else len(worth_trying(trial)),
        search=search,
    )


def _whole(bench: Bench, method: Method, given: Mapping[str, str], operator: Mapping[str, str]) -> Bench:
    rendering = resolve(method, given, operator, now=timezone.now())
    try:
        request = first_request(method, rendering)
    except LatchkeyError as error:
        return replace(bench, report=refused(error))
    stored = frozenset(key for key in operator if key not in given) & method.secret_keys
    hidden = [
        one
        for one in known_of(method, rendering)
        if one.is_secret and not stored.isdisjoint(method.behind(frozenset(one.names)))
    ]
    note = "The operator's stored secret is not shown: type it above to have it in the command." if hidden else ""
    return replace(bench, whole=curl(request, marker=Marker(hidden) if hidden else None), whole_note=note)


def take(request: HttpRequest, alternative: Alternative) -> None:
    """Fill the posted form in as the alternative says, Content-Type included. Nothing is saved."""
    posted = request.POST.copy()
    before = CONTENT_TYPES.get(posted.get("body_format", ""))
    for name, choice in alternative.changes.items():
        posted[name] = choice
    after = CONTENT_TYPES.get(posted.get("body_format", ""), "")
    for key, header in posted.dict().items():
        row = _HEADER_ROW.fullmatch(key)
        value_of = f"headers-{row[1]}-value" if row else ""
        if row and str(header).strip().lower() == "content-type" and posted.get(value_of) == before:
            posted[value_of] = after
            break
    request.POST = posted  # type: ignore[assignment]  # (the stubs want an immutable one)


def filled_in(bench: Bench, context: Mapping[str, Any]) -> Bench:
    """The bench on the page that an alternative was filled into, if the page now says what was tried."""
    found = bench.search.found if bench.search is not None else None
    now = edited(context).method
    says_so = found is not None and now is not None and _said(now) == _said(found.method)
    return replace(bench, is_filled_in=says_so)


def _said(method: Method) -> tuple[object, ...]:
    request = method.definition.token_request
    return request.client_authentication, request.basic_encoding, request.body_format, request.parameters
