"""django-oauth-toolkit's own endpoints beside those that the sandbox serves."""

from django.urls import path
from oauth2_provider.views import IntrospectTokenView, RevokeTokenView

from config.urls import urlpatterns as served

urlpatterns = [
    path("revoke", RevokeTokenView.as_view()),
    path("introspect", IntrospectTokenView.as_view()),
    *served,
]
