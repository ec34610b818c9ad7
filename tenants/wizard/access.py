"""Who may open a page: every one of them starts at the tenant, and at the signed-in user's membership."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache

from tenants.models import Tenant

P = ParamSpec("P")


class MemberRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User


Page = Callable[Concatenate[MemberRequest, Tenant, P], HttpResponseBase]


def member_page(view: Page[P]) -> Callable[..., HttpResponseBase]:
    """Open a page to the tenant's members only; to anybody else the tenant doesn't exist."""

    def guarded(request: HttpRequest, tenant_key: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            # Who comes back from signing in comes by GET, which an action doesn't answer.
            back = request.get_full_path() if request.method == "GET" else reverse("wizard:home")
            return redirect_to_login(back, reverse("wizard:sign-in"))
        tenant = get_object_or_404(Tenant.objects.of_user(request.user), key=tenant_key)
        return view(cast(MemberRequest, request), tenant, *args, **kwargs)

    update_wrapper(guarded, view)
    return never_cache(guarded)
