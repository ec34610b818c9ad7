"""Celery's entry points: thin, and safe to run twice."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from config.sandbox.models import Client

_KEPT = timedelta(days=1)  # after their expiry, to be looked at


@shared_task
def prune_tokens() -> None:
    """Delete tokens that have long expired."""
    Client.objects.prune_tokens(timezone.now() - _KEPT)
