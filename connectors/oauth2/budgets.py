"""Mint budgets: `5/day`, `2/hour`, `100/hour`, `10/10 minutes`."""

import re
from dataclasses import dataclass
from datetime import timedelta

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}
_BUDGET = re.compile(rf"(\d{{1,9}})\s*/\s*(?:(\d{{1,4}})\s*)?({'|'.join(_UNITS)})s?")


class BudgetError(ValueError):
    """No mint budget; the message says what one looks like."""


@dataclass(frozen=True)
class Budget:
    """At most `requests` token requests in any `period`, for one client."""

    requests: int
    period: timedelta


def parse_budget(text: str) -> Budget:
    """Read a mint budget. Raises `BudgetError`."""
    match = _BUDGET.fullmatch(text.strip())
    if match is None or int(match[1]) < 1 or match[2] == "0":
        raise BudgetError(f"“{text}” is no budget. Write for example 5/day, 2/hour, 100/hour or 10/10 minutes.")
    return Budget(int(match[1]), _UNITS[match[3]] * int(match[2] or 1))
