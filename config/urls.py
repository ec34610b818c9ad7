"""The addresses of the site: each app brings its own."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz
from config.operations.views import metrics, readyz
from integrations.mail.pages import stop_mail

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/catalogue/", include("integrations.admin.catalogue.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("api/", include("integrations.api.urls")),
    path("setup/", include("integrations.setup.urls")),
    path("mail/<str:token>/", stop_mail, name="stop-mail"),
    path("", include("tenants.wizard.urls")),
]

if settings.SANDBOX and settings.SANDBOX_INSTALLED:
    urlpatterns.append(path("sandbox/", include("config.sandbox.urls")))
