"""Presence, typing, and the status of users."""

from typing import Final

PRESENCE_SECONDS: Final = 1.5
"""Changes within it are published together."""
PRESENCE_LEAVE_SECONDS: Final = 5.0
"""Who comes back within it was never away."""
PRESENCE_USERS: Final = 200
"""Connections to one thread above which only their number is published: two hundred names are not read."""
TYPING_SECONDS: Final = 6.0
"""Clients repeat typing every few seconds; without a repeat it has stopped."""
TYPING_PAUSE_SECONDS: Final = 1.0
"""Between two starts of the same user; a start within it is published when it is over."""
LISTS_REMEMBERED: Final = 10_000
"""Retired threads that are remembered because clients may have lists of present or typing users."""
IDLE_SECONDS: Final = 300.0
"""A connected user without activity for so long is idle."""
ACTIVITY_LOOK_SECONDS: Final = 30.0
"""Between two checks for idle users; new activity is saved then."""
STATUS_SECONDS: Final = 1.0
"""Changes of status within it are published together."""
