"""The library's own admin pages are taken away: the console is where clients are made, as at any provider."""

from django.contrib import admin
from oauth2_provider import models

admin.site.unregister([models.AccessToken, models.Application, models.Grant, models.IDToken, models.RefreshToken])
