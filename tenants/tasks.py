"""Celery's entry points: thin, and safe to run twice. Messages carry nothing; the database is the truth."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from tenants import database_time, drafts, history, schedule, secret_expiry, set_back
from tenants.budgets import prune_accounts
from tenants.models import SignInFailures


@shared_task
def renew_due() -> None:
    """The tick: one message for each chunk of tokens that are due."""
    for _ in range(schedule.chunks_due()):
        renew_chunk.delay()


@shared_task
def renew_chunk() -> None:
    """Claim a chunk and renew it; finds nothing to do where another worker was quicker."""
    schedule.renew_chunk()


@shared_task
def follow_clock() -> None:
    """Renew what a clock wrote that has been set back since."""
    set_back.renew_what_is_from_the_future()


@shared_task
def look_ahead() -> None:
    """Warn of secrets that run out."""
    secret_expiry.warn(database_time.now())


@shared_task
def prune() -> None:
    """Delete history, drafts and counts that have had their time."""
    now = database_time.now()
    prune_history.delay()
    drafts.prune(now)
    prune_accounts(now)
    SignInFailures.objects.prune(now)


@shared_task
def prune_history() -> None:
    """Delete events that have had their time; where there are very many, in several tasks one after another."""
    _, is_done = history.prune_events(database_time.now() - timedelta(days=settings.EVENT_RETENTION_DAYS))
    if not is_done:
        prune_history.delay()
