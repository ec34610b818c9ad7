"""How a connector differs from its entry in the catalogue, and taking some of that."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from connectors import ready_made
from connectors.admin.impact import CONFIRM
from connectors.adopting import Comparison, Moved, comparison, take
from connectors.document_changes import Change
from connectors.documents import DocumentRefused
from connectors.impact import WouldBreak
from connectors.merging import ABSENT, Difference, Side
from connectors.models import Connector
from integrations.admin.catalogue.access import CHANGE, catalogue_page


@catalogue_page
@require_http_methods(["GET", "HEAD", "POST"])
def difference(request: HttpRequest, key: str) -> HttpResponse:
    """Every difference with a box beside it; sent, the ticked ones are taken, or nothing is and the page says why."""
    connector = get_object_or_404(Connector.objects.defer("logo"), key=key)
    found = _compared(key)
    problem, would_break = "", None
    if request.method == "POST":
        if not request.user.has_perms(CHANGE):
            raise PermissionDenied
        try:
            change = _take(request, found)
        except (Moved, DocumentRefused) as error:
            problem = str(error)
            found = _compared(key)
        except WouldBreak as error:
            would_break = error
        else:
            return _taken(request, connector, change)
    context = {
        **admin.site.each_context(request),
        "title": f"{connector.name}: differences from the catalogue",
        "connector": connector,
        "found": found,
        "groups": _groups(found, request.POST.getlist("take") if request.method == "POST" else None),
        "problem": problem,
        "would_break": would_break,
        "may_change": request.user.has_perms(CHANGE),
    }
    return TemplateResponse(request, "admin/catalogue/difference.html", context)


def _compared(key: str) -> Comparison:
    try:
        return comparison(key)
    except ready_made.NotInCatalogue as error:
        raise Http404(str(error)) from None


def _take(request: HttpRequest, found: Comparison) -> Change:
    if request.POST.get("seen") != found.fingerprint:
        raise Moved(
            "The connector or its entry has changed since this page was opened. Nothing was taken. "
            "Look at the differences once more."
        )
    places, confirmed = request.POST.getlist("take"), request.POST.get(CONFIRM, "")
    return take(found, places, confirmed=confirmed, actor=request.user)


def _taken(request: HttpRequest, connector: Connector, change: Change) -> HttpResponse:
    if change:
        said = f"Taken from the catalogue: {change}."
        admin.site.get_model_admin(Connector).log_change(request, connector, said)
        messages.success(request, said)
    else:
        messages.success(request, "Nothing was taken. What is new now is looked through.")
    if change.effects:
        messages.info(request, " ".join(change.effects))
    return HttpResponseRedirect(reverse("catalogue:difference", args=(connector.key,)))


_HEADINGS = {
    Side.CATALOGUE: ("New in the catalogue", "You haven't changed these places."),
    Side.BOTH: ("Changed on both sides", "Taken, the catalogue's words replace yours."),
    Side.HERE: (
        "Different here",
        "The catalogue has nothing new here: you changed these places, or didn't take them before.",
    ),
}


def _groups(found: Comparison, ticked: Sequence[str] | None) -> list[dict[str, Any]]:
    groups = []
    for side, (heading, explained) in _HEADINGS.items():
        of_side = [one for one in found.differences if one.side is side]
        lines = [_line(one, one.id in ticked if ticked is not None else side is Side.CATALOGUE) for one in of_side]
        if lines:
            groups.append({"heading": heading, "explained": explained, "side": side.value, "lines": lines})
    return groups


def _line(one: Difference, is_ticked: bool) -> dict[str, Any]:
    return {
        "id": one.id,
        "place": one.place,
        "was": _text(one.was),
        "here": _text(one.here),
        "shipped": _text(one.shipped),
        "is_ticked": is_ticked,
        "is_conflict": one.side is Side.BOTH and one.was is not ABSENT,
    }


def _text(value: Any) -> str | None:
    """A value to read; None for one that isn't there."""
    if value is ABSENT:
        return None
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
