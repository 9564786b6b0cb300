"""Notifications, mentions, and the own log of a user."""

from typing import Final

MENTIONS: Final = 50
"""Users mentioned one by one in one message; more of them are a list, not mentions."""
NOTIFIED_AT_ONCE: Final = 100
"""Rows that one message may write for other users. `@all` in a thread with more members notifies no one: the unread
count shows the message to all."""
HANDLE_CHARS: Final = 64
"""Of the text after an `@`: the length of nearly all names without spaces."""
EXCERPT_CHARS: Final = 200
"""What a notification shows of its message."""
USER_EVENTS: Final = 1_000
"""Entries that a user's own log keeps, for devices that come back."""
USER_EVENT_SECONDS: Final = 30 * 24 * 3600
"""A device that comes back later than a month loads everything anew."""
NOTIFICATION_SECONDS: Final = 90 * 24 * 3600
"""How long a notification stays in the feed, read or not."""
OUTBOX_SECONDS: Final = 7 * 24 * 3600
"""How long something waits for delivery outside: a week later it is no news."""
USERS_REMEMBERED: Final = 10_000
"""Users without a connection whose log grew lately: on reconnect its head is known without a query."""
MENTION_SIGNS: Final = 10 * MENTIONS
"""Of `@` that are looked at in one text."""
MENTION_CANDIDATES: Final = 20 * MENTIONS
"""Names that are looked up for one message, in some milliseconds."""
