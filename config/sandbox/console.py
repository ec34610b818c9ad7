"""The sandbox's console, where a provider's customer finds a client ID and makes a secret."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from config.sandbox.forms import ClientForm
from config.sandbox.models import Client


@login_required
@require_safe
def clients(request: HttpRequest) -> HttpResponse:
    """The clients of whoever is signed in."""
    return render(request, "sandbox/clients.html", {"clients": Client.objects.of(_user(request)).with_usage()})


@login_required
@never_cache
def create(request: HttpRequest) -> HttpResponse:
    form = ClientForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "sandbox/create.html", {"form": form})
    client, secret = Client.objects.register(owner=_user(request), **form.as_registered())
    return _secret_shown_once(request, client, secret)


@login_required
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "sandbox/client.html", {"client": _client(request, pk)})


@login_required
@never_cache
@require_POST
def renew_secret(request: HttpRequest, pk: int) -> HttpResponse:
    client = _client(request, pk)
    return _secret_shown_once(request, client, client.renew_secret())


@login_required
@require_POST
def revoke_secret(request: HttpRequest, pk: int) -> HttpResponse:
    client = _client(request, pk)
    client.revoke_secret()
    messages.success(
        request,
        "The secret is revoked: the next token request with it is refused. "
        "Tokens issued before stay valid until they expire.",
    )
    return redirect("sandbox:client", client.pk)


@login_required
@require_POST
def revoke_tokens(request: HttpRequest, pk: int) -> HttpResponse:
    client = _client(request, pk)
    revoked = client.revoke_tokens()
    noun = "token" if revoked == 1 else "tokens"
    messages.success(request, f"{revoked} {noun} revoked." if revoked else "There was no valid token to revoke.")
    return redirect("sandbox:client", client.pk)


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    client = _client(request, pk)
    client.application.delete()
    messages.success(request, f"{client} is deleted, and its tokens with it.")
    return redirect("sandbox:clients")


def _secret_shown_once(request: HttpRequest, client: Client, secret: str) -> HttpResponse:
    # Shown in the answer itself: a redirect would have to keep the secret somewhere until the next page.
    return render(request, "sandbox/secret.html", {"client": client, "secret": secret})


def _client(request: HttpRequest, pk: int) -> Client:
    """The client, if it belongs to whoever is signed in; anybody else's does not exist."""
    return get_object_or_404(Client.objects.of(_user(request)).with_usage(), pk=pk)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
