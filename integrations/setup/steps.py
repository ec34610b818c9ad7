"""One component's page: choosing how to connect it, and filling in what is missing."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from connectors.definitions import definition_of
from connectors.markdown import render as render_markdown
from connectors.models import AuthMethod, Connector
from integrations.models import Session, SessionPart
from integrations.session_parts import methods_for
from integrations.session_steps import choose, fill, keep, make_ready, next_step
from integrations.setup import flow
from integrations.setup.access import Visit, setup_page, show
from integrations.setup.handing import hand_on
from tenants.wizard.filling import web_address
from tenants.wizard.forms import form_of, read
from tenants.wizard.logos import with_logo_known


@setup_page
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, visit: Visit, number: int) -> HttpResponse:
    """A component's form."""
    steps, part = _steps(visit, number)
    if part is None:
        return flow.go_on(visit)
    if part.auth_method is None:
        return visit.to("method", number)
    if request.method == "POST":
        return _submit(request, visit, part, part.auth_method, number)
    return _show_form(request, visit, part, part.auth_method, number, len(steps))


@setup_page
@require_http_methods(["GET", "HEAD", "POST"])
def choose_method(request: HttpRequest, visit: Visit, number: int) -> HttpResponse:
    """The ways to connect a component, where there are several and the backend named none."""
    steps, part = _steps(visit, number)
    if part is None:
        return flow.go_on(visit)
    if part.has_fixed_method:
        return visit.to("step", number)
    methods = methods_for(part)
    if request.method == "POST" and _is_handed_on(request, visit):
        return hand_on(visit, part)
    if request.method == "POST":
        chosen = next((one for one in methods if one.key == request.POST.get("method")), None)
        if chosen is not None:
            choose(part, chosen)
            return visit.to("step", number)
    context = {
        "connector": _connector(part),
        "methods": methods,
        "number": number,
        "count": len(steps),
    }
    return show(request, visit, "method", context)


def _is_handed_on(request: HttpRequest, visit: Visit) -> bool:
    """Whether a colleague shall go on. What was handed on once isn't handed on further."""
    return "hand_on" in request.POST and visit.hand_on is None


def _steps(visit: Visit, number: int) -> tuple[list[SessionPart], SessionPart | None]:
    """All steps, and the one of this number; None if something else is to be seen now."""
    steps = flow.steps(visit)
    if visit.session.state == Session.State.COMPLETE or visit.session.is_busy(visit.now):
        return steps, None
    if not 1 <= number <= len(steps):
        raise Http404
    return steps, steps[number - 1]


def _submit(request: HttpRequest, visit: Visit, part: SessionPart, method: AuthMethod, number: int) -> HttpResponse:
    typed = read(definition_of(method).method, request.POST)
    if _is_handed_on(request, visit):
        keep(visit.session, part, typed, visit.now)
        return hand_on(visit, part)
    fill(visit.session, part, typed)
    if part.problem:
        return visit.to("step", number)
    steps = flow.steps(visit)
    following = next_step(steps, visit.now)
    if following is not None:
        return visit.to("step", following)
    make_ready(visit.session)
    return flow.go_on(visit)


def _show_form(
    request: HttpRequest, visit: Visit, part: SessionPart, method: AuthMethod, number: int, count: int
) -> HttpResponse:
    problem = _problem(part)
    errors = problem.get("fields", {})
    form = form_of(definition_of(method), part.filled_in, part.since, errors=errors, now=visit.now, given=part.given)
    shown = {one.key for one in form.fields}
    connector = _connector(part)
    context = {
        "part": part,
        "number": number,
        "count": count,
        "connector": connector,
        "method": method,
        "form": form,
        "problem": problem,
        "has_failed": bool(problem) and visit.session.state == Session.State.FAILED,
        "other_errors": [words for key, words in errors.items() if key not in shown],
        "is_last": number == count,
        "has_methods": not part.has_fixed_method,
        "documentation_url": web_address(connector.documentation_url),
        "instructions": render_markdown(method.instructions),
    }
    return show(request, visit, "step", context)


def _problem(part: SessionPart) -> dict[str, Any]:
    """What to tell of. That something is missing isn't news to who has typed nothing yet."""
    if not part.problem or part.problem["code"] == "cancelled":
        return {}
    problem: dict[str, Any] = part.problem
    return {} if problem["code"] == "validation_failed" and not part.is_typed else problem


def _connector(part: SessionPart) -> Connector:
    return get_object_or_404(with_logo_known(Connector.objects.all()), pk=part.component.connector_id)
