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

_ENTRIES = 500


def spend(ledger: Ledger, budget: Budget, now: datetime) -> tuple[Ledger, float]:
    """Enter one request at `now`: the ledger that results, and 0; or the ledger as it is, and the seconds to wait."""
    at, period = now.timestamp(), budget.period.total_seconds()
    recent = [(when, count) for when, count in ledger if when > at - period]
    if sum(count for _, count in recent) >= budget.requests:
        return recent, max(recent[0][0] + period - at, 1.0)
    # Large budgets are counted in slices. A slice counts as being as late as its last request: never too generous.
    if budget.requests > _ENTRIES and recent and at - recent[-1][0] < period / _ENTRIES:
        return [*recent[:-1], (at, recent[-1][1] + 1)], 0.0
    return [*recent, (at, 1)], 0.0
