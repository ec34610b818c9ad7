"""Celery's entry points: thin, and safe to run twice."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from integrations import relay, sessions
from integrations.mail import posting
from integrations.webhooks import endpoints, sending
from tenants import database_time


@shared_task
def prune_sessions() -> None:
    """Delete what was filled in for sessions that have expired."""
    sessions.prune(database_time.now())


@shared_task
def pass_on() -> None:
    """The tick: pass on what happened, and one message for each chunk of deliveries that are due."""
    relay.pass_on()
    for _ in range(sending.chunks_due()):
        # What nobody took before the next tick is asked for again by that one.
        deliver_chunk.apply_async(expires=settings.RENEWAL_TICK)


@shared_task
def deliver_chunk() -> None:
    """Claim chunks of deliveries and send them; finds nothing to do where another worker was quicker."""
    sending.deliver_for(settings.RENEWAL_TICK)


@shared_task
def prune_deliveries() -> None:
    """Give up what waited in vain, and delete deliveries and mail that have had their time."""
    now = database_time.now()
    endpoints.prune(now, keep=timedelta(days=settings.EVENT_RETENTION_DAYS))
    posting.prune(now)


@shared_task
def post_mail() -> None:
    """Send the mail that is due."""
    posting.post_due()
