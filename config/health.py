"""Is this process alive?"""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe


@csrf_exempt  # changes nothing, and another method is to hear of that, not of a form
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Liveness: says only that this process answers, and asks nothing of the database or the broker."""
    return JsonResponse({"status": "ok"})
