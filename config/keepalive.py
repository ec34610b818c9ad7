"""When a connection is given up whose other end vanished without a word: its machine, or what lies between.

Left alone, whoever waits for an answer goes on waiting for a quarter of an hour, or for ever. With these nobody waits
longer for a lost database or broker than for the lease of a lost worker (with the default settings).
"""

import socket

IDLE = 10  # seconds of silence until the other end is asked whether it is there
INTERVAL, TRIES = 5, 3  # seconds between asking, and how often
UNANSWERED = IDLE + INTERVAL * TRIES  # seconds for which what was sent may stay without a receipt
CONNECTING = 10  # seconds

POSTGRES = {
    "connect_timeout": CONNECTING,
    "keepalives_idle": IDLE,
    "keepalives_interval": INTERVAL,
    "keepalives_count": TRIES,
    "tcp_user_timeout": UNANSWERED * 1000,
}
_SOCKET = {
    "TCP_KEEPIDLE": IDLE,
    "TCP_KEEPINTVL": INTERVAL,
    "TCP_KEEPCNT": TRIES,
    "TCP_USER_TIMEOUT": UNANSWERED * 1000,
}
# Not every system has all of them.
SOCKET = {getattr(socket, name): value for name, value in _SOCKET.items() if hasattr(socket, name)}
