"""What others are told of as it happens: those who count. What they raise is logged and disturbs nobody."""

from django.dispatch import Signal

# Sent with `result` ("delivered", "refused": an answer of another kind, "unanswered") for each attempt at a webhook.
attempted = Signal()

# Sent with `count` when so many webhook deliveries were given up.
given_up = Signal()

# Sent with `is_sent` when a mail was handed to the mail server, or could not be.
posted = Signal()
