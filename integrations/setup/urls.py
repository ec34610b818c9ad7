"""The pages behind a set-up link."""

from django.urls import path

from integrations.setup import branding, ending, entry, handing, steps, trying

app_name = "setup"

_LINK = "<str:link>/"
_STEP = _LINK + "steps/<int:number>/"

urlpatterns = [
    path("brand/<str:key>/logo", branding.logo, name="logo"),
    path("brand/<str:key>/colours.css", branding.colours, name="colours"),
    path(_LINK, entry.entry, name="entry"),
    path(_STEP, steps.step, name="step"),
    path(_STEP + "method/", steps.choose_method, name="method"),
    path(_LINK + "connecting/", trying.connecting, name="connecting"),
    path(_LINK + "run/", trying.run, name="run"),
    path(_LINK + "progress/", trying.progress, name="progress"),
    path(_LINK + "cancel/", ending.cancel, name="cancel"),
    path(_LINK + "handed/", handing.handed, name="handed"),
    path(_LINK + "take-back/", handing.take_back, name="take-back"),
    path(_LINK + "end/", ending.end, name="end"),
    path(_LINK + "over/", ending.over, name="over"),
]
