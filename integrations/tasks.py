"""Celery's entry points: thin, and safe to run twice."""

from celery import shared_task

from integrations import sessions
from tenants import database_time


@shared_task
def prune_sessions() -> None:
    """Delete what was filled in for sessions that have expired."""
    sessions.prune(database_time.now())
