"""Coming in and going out: signing in, and the first page."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from tenants.models import Tenant
from tenants.wizard.forms import SignInForm


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    template_name = "wizard/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        return reverse("wizard:home")


class SignOut(LogoutView):
    def get_default_redirect_url(self) -> str:
        return reverse("wizard:sign-in")


@never_cache
def home(request: HttpRequest) -> HttpResponseBase:
    """The user's tenant; a choice where there are several; a friendly word where there is none."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("wizard:sign-in"))
    tenants = list(Tenant.objects.of_user(request.user))
    if len(tenants) == 1:
        return redirect("wizard:instances", tenants[0].key)
    return _tenants(request, tenants)


def _tenants(request: HttpRequest, tenants: list[Tenant]) -> HttpResponse:
    return render(request, "wizard/tenants.html" if tenants else "wizard/no_tenant.html", {"tenants": tenants})
