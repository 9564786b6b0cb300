"""Unread counts."""

from typing import Final

UNREAD_SECONDS: Final = 0.2
"""Changes of unread counts within it are pushed together."""
UNREAD_AT_ONCE: Final = 16
"""Threads whose members get their counts in one step: 1 ms of the event loop, where each has a reader of its own."""
UNREAD_STEP_SECONDS: Final = 0.005
"""Between two of them: 3,200 threads a second."""
UNREAD_REACH: Final = 10_000
"""Messages that marking a thread unread reaches back: the own ones among them are counted, 6 ms of the journal."""
UNREAD_THREADS: Final = 100
"""Listed one by one; the sums are of all."""
UNREAD_USERS: Final = 1_000
"""Users in one query for their counts."""
