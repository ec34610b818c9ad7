"""The addresses of the HTTP API."""

from django.urls import path

from integrations.api.application import api

urlpatterns = [path("v1/", api.urls)]
