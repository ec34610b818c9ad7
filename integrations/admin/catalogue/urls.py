"""The addresses of the catalogue's pages, below the admin's."""

from django.urls import path

from integrations.admin.catalogue.browsing import browse, show
from integrations.admin.catalogue.updating import difference

app_name = "catalogue"
urlpatterns = [
    path("", browse, name="browse"),
    path("differences/<slug:key>/", difference, name="difference"),
    path("<slug:key>/", show, name="entry"),
]
