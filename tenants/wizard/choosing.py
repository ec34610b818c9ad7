"""Choosing what to connect: a connector, then one of its authentication methods."""

from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from connectors.models import Connector
from tenants.models import Tenant
from tenants.wizard.access import MemberRequest, member_page
from tenants.wizard.logos import with_logo_known
from tenants.wizard.pages import page_of, show

PER_PAGE = 60


@member_page
@require_safe
def choose_connector(request: MemberRequest, tenant: Tenant) -> HttpResponse:
    """The connectors that are set up; `?q=` searches names, keys and descriptions, `?category=` narrows down."""
    words = request.GET.get("q", "").strip()[:100]
    category = request.GET.get("category", "")
    ready = Connector.objects.ready()
    # Without order_by() the model's own ordering would join the DISTINCT.
    categories = ready.exclude(category="").order_by("category").values_list("category", flat=True)
    found = with_logo_known(ready)
    for word in words.split():
        found = found.filter(Q(name__icontains=word) | Q(key__icontains=word) | Q(description__icontains=word))
    if category:
        found = found.filter(category=category)
    context = {
        "page": page_of(request, found, size=PER_PAGE),
        "filters": urlencode({"q": words, "category": category}),
        "words": words,
        "category": category,
        "categories": sorted(set(categories)),
    }
    return show(request, tenant, "choose_connector", context)


@member_page
@require_safe
def choose_method(request: MemberRequest, tenant: Tenant, connector_key: str) -> HttpResponse:
    """The connector's authentication methods; where there is one, the way leads straight on."""
    connector = get_object_or_404(with_logo_known(Connector.objects.ready()), key=connector_key)
    methods = list(connector.auth_methods.all())
    if len(methods) == 1:
        return redirect("wizard:connect", tenant.key, connector.key, methods[0].key)
    return show(request, tenant, "choose_method", {"connector": connector, "methods": methods})
