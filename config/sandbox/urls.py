"""The sandbox's addresses. There are none while `SANDBOX` is off."""

from django.urls import path
from django.views.generic import RedirectView
from oauth2_provider.views import TokenView

from config.sandbox import api, console

app_name = "sandbox"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="sandbox:clients")),
    path("oauth/token", TokenView.as_view(), name="token"),
    path("api/me", api.me, name="me"),
    path("console/", console.clients, name="clients"),
    path("console/clients/new", console.create, name="create"),
    path("console/clients/<int:pk>/", console.detail, name="client"),
    path("console/clients/<int:pk>/secret", console.renew_secret, name="renew-secret"),
    path("console/clients/<int:pk>/secret/revoke", console.revoke_secret, name="revoke-secret"),
    path("console/clients/<int:pk>/tokens/revoke", console.revoke_tokens, name="revoke-tokens"),
    path("console/clients/<int:pk>/delete", console.delete, name="delete"),
]
