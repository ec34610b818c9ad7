"""What others are told of as it happens: those who count and log. What they raise is logged and disturbs nobody."""

from django.dispatch import Signal

# Sent with `outcomes` and `events`, once the results of asking for tokens are written: those that counted.
settled = Signal()

# Sent with `exchanges` (`tenants.asked.Exchange`) when providers were asked for tokens, whatever came of it.
asked = Signal()

# Sent with `connector` (its key) and `is_allowed` when a token request was to be entered into a mint budget.
budgeted = Signal()
