"""The catalogue: by category, searched; an entry, and adding it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connectors import ready_made
from connectors.adopting import AlreadyThere, add
from connectors.documents import DocumentRefused
from connectors.models import Connector
from integrations.admin.catalogue.access import ADD, catalogue_page
from integrations.admin.catalogue.entries import Entry, by_category, entries, entry, title_of
from integrations.admin.catalogue.preview import previews


@catalogue_page
@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Every entry, or those of a category, or those that answer a search."""
    query, category = request.GET.get("q", "").strip(), request.GET.get("category", "")
    every = entries()
    found = [one for one in every if one.answers(query.casefold().split())]
    shown = [one for one in found if not category or one.document.category == category]
    context = {
        "title": "Catalogue",
        "query": query,
        "category": category,
        "categories": [(name, title_of(name), len(of_category)) for name, of_category in by_category(found)],
        "found": len(found),
        "total": len(every),
        "groups": [(title_of(name), of_category) for name, of_category in by_category(shown)],
        "outdated": [added for one in every for added in one.added if added.is_outdated],
    }
    return _page(request, "browse", context)


@catalogue_page
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, key: str) -> HttpResponse:
    """An entry with all that it asks for and sends; sent, it is added."""
    found = _entry(key)
    problem, as_key = "", _free_key(found)
    if request.method == "POST":
        if not request.user.has_perms(ADD):
            raise PermissionDenied
        as_key = request.POST.get("key", "").strip()
        try:
            add({key: as_key})
        except AlreadyThere:
            problem = f"There already is a connector with the key {as_key}. Give this one another."
        except DocumentRefused as error:
            problem = str(error)
        else:
            return _added(request, found, as_key)
    context = {
        "title": found.document.name,
        "entry": found,
        "previews": list(previews(found.document)),
        "as_key": as_key,
        "problem": problem,
        "may_add": request.user.has_perms(ADD),
    }
    return _page(request, "entry", context)


def _entry(key: str) -> Entry:
    try:
        return entry(key)
    except ready_made.NotInCatalogue as error:
        raise Http404(str(error)) from None


def _free_key(found: Entry) -> str:
    """The entry's own key; where that is taken the next with a number that isn't."""
    own, number = found.document.key, 1
    taken = set(Connector.objects.filter(key__startswith=own).values_list("key", flat=True))
    while (key := own if number == 1 else f"{own}-{number}") in taken:
        number += 1
    return key


def _added(request: HttpRequest, found: Entry, key: str) -> HttpResponse:
    connector = Connector.objects.get(key=key)
    said = f"Added from the catalogue ({found.document.key})."
    admin.site.get_model_admin(Connector).log_addition(request, connector, said)
    messages.success(request, f"{connector.name} was added. Tenants can connect it now.")
    for preview in previews(found.document):
        lacking = [one.title for one in preview.of_operator if one.required]
        if lacking:
            where = f"{preview.method.name}: set the operator's value of {', '.join(lacking)}"
            messages.warning(request, f"{where} before anyone connects it.")
    return HttpResponseRedirect(reverse("admin:connectors_connector_change", args=(connector.pk,)))


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    site = admin.site.each_context(request)
    return TemplateResponse(request, f"admin/catalogue/{name}.html", {**site, **context})
