"""The pages that a tenant's user sees."""

from django.urls import path

from tenants.wizard import actions, choosing, entry, filling, handing, instances, logos, next_secrets, trying

app_name = "wizard"

_TENANT = "t/<str:tenant_key>/"
_METHOD = _TENANT + "connect/<str:connector_key>/<str:method_key>/"
_DRAFT = _TENANT + "drafts/<uuid:pk>/"
_INSTANCE = _TENANT + "instances/<uuid:pk>/"

urlpatterns = [
    path("", entry.home, name="home"),
    path("login/", entry.SignIn.as_view(), name="sign-in"),
    path("logout/", entry.SignOut.as_view(), name="sign-out"),
    path("connectors/<str:key>/logo", logos.logo, name="logo"),
    path(_TENANT, instances.listing, name="instances"),
    path(_TENANT + "connect/", choosing.choose_connector, name="choose-connector"),
    path(_TENANT + "connect/<str:connector_key>/", choosing.choose_method, name="choose-method"),
    path(_METHOD, filling.connect, name="connect"),
    path(_DRAFT, filling.draft_form, name="draft"),
    path(_DRAFT + "cancel/", filling.cancel, name="cancel"),
    path(_DRAFT + "handed/", handing.handed, name="handed"),
    path(_DRAFT + "take-back/", handing.take_back, name="take-back"),
    path(_TENANT + "take-over/<uuid:key>/", handing.take_over, name="take-over"),
    path(_DRAFT + "connecting/", trying.connecting, name="connecting"),
    path(_DRAFT + "run/", trying.run, name="run"),
    path(_DRAFT + "progress/", trying.progress, name="progress"),
    path(_DRAFT + "connected/", trying.connected, name="connected"),
    path(_INSTANCE, instances.detail, name="instance"),
    path(_INSTANCE + "reconnect/", filling.reconnect, name="reconnect"),
    path(_INSTANCE + "check/", actions.check, name="check"),
    path(_INSTANCE + "pause/", actions.pause, name="pause"),
    path(_INSTANCE + "resume/", actions.resume, name="resume"),
    path(_INSTANCE + "rename/", actions.rename, name="rename"),
    path(_INSTANCE + "next-secret/", next_secrets.add, name="next-secret"),
    path(_INSTANCE + "next-secret/drop/", next_secrets.drop, name="drop-next-secret"),
    path(_INSTANCE + "next-secret/retire-present/", next_secrets.retire, name="retire-secret"),
    path(_INSTANCE + "secret-expiry/", next_secrets.expiry, name="secret-expiry"),
    path(_INSTANCE + "remove/", actions.remove, name="remove"),
]
