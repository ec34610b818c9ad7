"""The pipeline that one writes in an afternoon: a Celery task for each token, `requests.post`, `save()`.

It works on our own rows, so that it decrypts and encrypts as we do. It has no lease, no history, no guard.
"""

from datetime import timedelta
from uuid import UUID

import requests
from celery import shared_task
from django.utils import timezone

from tenants.models import Token


@shared_task
def renew_one(pk: str, url: str) -> None:
    """Buy a token and store it."""
    token = Token.objects.get(pk=UUID(pk))
    values = token.instance.filled_in.values
    data = {"grant_type": "client_credentials", **values}
    answer = requests.post(url, data=data, timeout=30)
    answer.raise_for_status()
    granted = answer.json()
    now = timezone.now()
    token.secrets = {"access_token": granted["access_token"], "token_type": granted["token_type"], "kept": {}}
    token.issued_at = token.renewed_at = now
    token.expires_at = now + timedelta(seconds=granted["expires_in"])
    token.refresh_at = now + timedelta(seconds=granted["expires_in"] * 0.8)
    token.save()
