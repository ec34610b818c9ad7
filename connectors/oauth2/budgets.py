"""Mint budgets: `5/day`, `2/hour`, `100/hour`, `10/10 minutes`."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}
_BUDGET = re.compile(rf"([0-9]{{1,9}})\s*/\s*(?:([0-9]{{1,4}})\s*)?({'|'.join(_UNITS)})s?")


class BudgetError(ValueError):
    """No mint budget; the message says what one looks like."""


@dataclass(frozen=True)
class Budget:
    """At most `requests` token requests in any `period`, for one client."""

    requests: int
    period: timedelta

    @property
    def spacing(self) -> timedelta:
        """How far apart requests are that spend it evenly."""
        return self.period / self.requests


def parse_budget(text: str) -> Budget:
    """Read a mint budget. Raises `BudgetError`."""
    match = _BUDGET.fullmatch(text.strip())
    if match is None or int(match[1]) < 1 or match[2] == "0":
        raise BudgetError(f"“{text}” is no budget. Write for example 5/day, 2/hour, 100/hour or 10/10 minutes.")
    return Budget(int(match[1]), _UNITS[match[3]] * int(match[2] or 1))


# The token requests of one client, oldest first: when, in epoch seconds, and how many.
Ledger = list[tuple[float, int]]

# How finely large budgets are counted: in so many slices of their period.
_SLICES = 500
# What no present budget looks back to is remembered all the same: a definition's `max_requests` may change, and methods
# of one connector may have different ones.
_REMEMBERED = timedelta(days=31)
_ENTRIES = 2 * _SLICES


def spend(ledger: Ledger, budget: Budget, now: datetime) -> tuple[Ledger, float]:
    """Enter one request at `now`: the ledger that results, and 0; or the ledger as it is, and the seconds to wait."""
    at, period = now.timestamp(), budget.period.total_seconds()
    recent = [(when, count) for when, count in ledger if when > at - period]
    if wait := _wait(recent, budget, at):
        return ledger, wait
    # A slice counts as being as late as its last request: never too generous.
    width = period / _SLICES
    if budget.requests > _SLICES and recent and at // width == recent[-1][0] // width:
        entered = [*ledger[:-1], (at, recent[-1][1] + 1)]
    else:
        entered = [*ledger, (at, 1)]
    return _thinned(entered, at, period), 0.0


def _wait(recent: Ledger, budget: Budget, at: float) -> float:
    """How many seconds until so few of these requests are left in the period that there is room for one more."""
    beyond = sum(count for _, count in recent) - budget.requests
    wait = 0.0
    for when, count in recent:
        if beyond < 0:
            break
        beyond -= count
        wait = max(when + budget.period.total_seconds() - at, 1.0)
    return wait


def _thinned(ledger: Ledger, at: float, period: float) -> Ledger:
    """Without what is forgotten, and where there is too much of it with what is long ago more roughly counted."""
    horizon = at - max(period, _REMEMBERED.total_seconds())
    kept = [entry for entry in ledger if entry[0] > horizon]
    if len(kept) <= _ENTRIES:
        return kept
    old = [entry for entry in kept if entry[0] <= at - period]
    pairs = [old[index : index + 2] for index in range(0, len(old), 2)]
    rough = [(pair[-1][0], sum(count for _, count in pair)) for pair in pairs]
    return [*rough, *kept[len(old) :]]
