"""Requests to acknowledge a message."""

from typing import Final

ACKNOWLEDGEMENT_NAMED: Final = 50
"""Users that a request names: more are a thread of their own, whose members are all asked."""
ACKNOWLEDGEMENT_USERS: Final = 500
"""Users that one message asks: as many rows, notifications and deliveries in one transaction (some 20 ms)."""
URGENT_REPEATS: Final = 6
"""How often an urgent request notifies its pending recipients again: for half an hour, then it stops."""
URGENT_REPEAT_SECONDS: Final = 300
"""Between two notifications of an urgent request."""
URGENT_OPEN: Final = 10
"""Urgent requests of one user that are still repeated: each notifies up to 500 people six times."""
