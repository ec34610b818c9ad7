"""A method's page with the panel in which it is tried."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connectors.admin.trying import bench_for, filled_in, take


def with_bench(request: HttpRequest, page: Callable[[], HttpResponse]) -> HttpResponse:
    """The page, with the panel for those who may change the method.

    Where another way to send the request worked, it is made once more with that way filled in.
    """
    response = page()
    context = _context(response)
    if context is None:
        return response
    bench = bench_for(request, context)
    if bench.taken is not None and context.get("original") is not None:
        take(request, bench.taken)
        response = page()
        context = _context(response)
        if context is None:
            return response
        bench = filled_in(bench, context)
    context["bench"] = bench
    return response


def _context(response: HttpResponse) -> dict[str, object] | None:
    """The context of a method's page, if it may be changed or added there."""
    context = response.context_data if isinstance(response, TemplateResponse) else None
    if not context or "adminform" not in context:
        return None
    is_added = context.get("original") is None
    return context if context.get("has_add_permission" if is_added else "has_change_permission") else None
