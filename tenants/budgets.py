"""Mint budgets (`refresh.max_requests`): counted in the database per client, for all workers and instances together."""

import json
from datetime import datetime, timedelta

from django.db import transaction
from django.dispatch import receiver
from django.utils.crypto import salted_hmac

from connectors.oauth2.budgets import Budget, parse_budget, spend
from connectors.oauth2.errors import MintBudgetSpent
from connectors.oauth2.method import Method
from connectors.oauth2.templates import Rendering
from connectors.signals import asking
from tenants import signals
from tenants.models.mint_account import MintAccount


def budget_of(method: Method) -> Budget | None:
    stated = method.definition.refresh.max_requests
    return None if stated is None else parse_budget(stated)


def enter_request(method: Method, rendering: Rendering) -> None:
    """Count one token request that is about to be made. Raises `MintBudgetSpent`, and then it may not be made.

    No query for a method without a budget.
    """
    budget = budget_of(method)
    if budget is None:
        return
    now = rendering.now
    with transaction.atomic():
        MintAccount.objects.get_or_create(client=_client(method, rendering), defaults={"updated_at": now})
        account = MintAccount.objects.select_for_update().get(client=_client(method, rendering))
        entries, wait = spend([(at, count) for at, count in account.ledger], budget, now)
        if not wait:
            account.ledger, account.updated_at = entries, now
            account.save(update_fields=["ledger", "updated_at"])
    signals.budgeted.send_robust(enter_request, connector=method.connector.key, is_allowed=not wait)
    if wait:
        again = now + timedelta(seconds=wait)
        raise MintBudgetSpent(
            f"This provider takes {method.definition.refresh.max_requests} token requests, and they are spent.",
            "One more could get the client blocked.",
            f"The next is made after {again:%Y-%m-%d %H:%M:%S} UTC; a token that still lives serves until then.",
            retry_after=wait,
        )


def is_last(method: Method, rendering: Rendering) -> bool:
    """Whether the client's budget has room for one more request at most. No query for a method without a budget."""
    budget = budget_of(method)
    if budget is None:
        return False
    account = MintAccount.objects.filter(client=_client(method, rendering)).first()
    ledger = [(at, count) for at, count in account.ledger] if account else []
    entered, wait = spend(ledger, budget, rendering.now)
    return bool(wait or spend(entered, budget, rendering.now)[1])


@receiver(asking)
def count_trial(sender: object, *, method: Method, rendering: Rendering, **named: object) -> None:
    """Count a try like any other token request, as the provider does."""
    enter_request(method, rendering)


def _client(method: Method, rendering: Rendering) -> str:
    """The client that the provider counts: by its ID or, without one, by everything that is filled in."""
    known = {key: rendering.values.get(key, "") for key in method.by_key}
    identity = known["client_id"] if "client_id" in method.used else json.dumps(known, sort_keys=True)
    return salted_hmac("tenants.budgets", f"{method.connector.key}\n{identity}", algorithm="sha256").hexdigest()


def prune_accounts(now: datetime) -> int:
    """Forget what no budget looks back to any more."""
    return MintAccount.objects.filter(updated_at__lt=now - timedelta(days=400)).delete()[0]
