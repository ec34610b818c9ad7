"""The platform's addresses, and a constant answer behind the same check of keys."""

from typing import Any

from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI

from config.urls import urlpatterns as of_the_platform
from integrations.api.authentication import ApiKeyAuth

constant = NinjaAPI(title="Constant", urls_namespace="bench", docs_url=None, openapi_url=None)


@constant.get("/constant", auth=ApiKeyAuth("tokens:read"))
def answer(request: HttpRequest) -> dict[str, Any]:
    """As little as can be said."""
    return {"access_token": "constant"}


urlpatterns = [*of_the_platform, path("bench/", constant.urls)]
