"""What others are told of as it happens."""

from django.dispatch import Signal

# Sent with `method` and `rendering` before a method that is tried asks for a token. A receiver that raises
# `LatchkeyError` forbids it: those who count what a provider allows do.
asking = Signal()
